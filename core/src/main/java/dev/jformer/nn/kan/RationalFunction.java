package dev.jformer.nn.kan;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/**
 * A rational function {@code P(x) / (1 + |Q(x)|)}, as which the activations of the <a
 * href="https://arxiv.org/abs/2409.10594">Kolmogorov-Arnold Transformer</a> start. P has degree 5,
 * and Q degree 4 without a constant.
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record RationalFunction(double[] numerator, double[] denominator) {
  /** Number of coefficients of P, the constant first. */
  public static final int NUMERATOR = 6;

  /** Number of coefficients of Q, that of x first. */
  public static final int DENOMINATOR = 4;

  /** Functions are fitted from minus this to this, as the authors do. */
  private static final double RANGE = 3;

  private static final int POINTS = 601;
  private static final int MOST_ROUNDS = 400;

  /** Copies the values. */
  public RationalFunction {
    numerator = Arrays.copyOf(numerator, NUMERATOR);
    denominator = Arrays.copyOf(denominator, DENOMINATOR);
  }

  /** The identity. */
  public static RationalFunction identity() {
    return new RationalFunction(new double[] {0, 1, 0, 0, 0, 0}, new double[DENOMINATOR]);
  }

  /**
   * Fits a function by least squares at evenly spaced points from -3 to 3. The linear problem
   * {@code P - y Q = y} gives a first guess, which the method of Levenberg and Marquardt improves.
   */
  public static RationalFunction fit(DoubleUnaryOperator function) {
    double[] x = new double[POINTS];
    double[] y = new double[POINTS];
    for (int i = 0; i < POINTS; i++) {
      x[i] = RANGE * (2.0 * i / (POINTS - 1) - 1);
      y[i] = function.applyAsDouble(x[i]);
    }
    RationalFunction best = firstGuess(x, y);
    double error = best.squaredError(x, y);
    double damping = 1e-3;
    for (int round = 0; round < MOST_ROUNDS && damping < 1e12; round++) {
      RationalFunction next = best.improved(x, y, damping);
      double nextError = next.squaredError(x, y);
      if (nextError < error) {
        best = next;
        error = nextError;
        damping /= 3;
      } else {
        damping *= 4;
      }
    }
    return best;
  }

  /** The value at x. */
  public double at(double x) {
    return p(x) / (1 + Math.abs(q(x)));
  }

  private double p(double x) {
    double sum = 0;
    for (int k = NUMERATOR - 1; k >= 0; k--) {
      sum = sum * x + numerator[k];
    }
    return sum;
  }

  private double q(double x) {
    double sum = 0;
    for (int k = DENOMINATOR - 1; k >= 0; k--) {
      sum = (sum + denominator[k]) * x;
    }
    return sum;
  }

  /** The mean of its square for a standard normal x. */
  public double secondMoment() {
    double sum = 0;
    double step = 1e-3;
    for (int i = -10_000; i <= 10_000; i++) {
      double x = i * step;
      sum += at(x) * at(x) * Math.exp(-x * x / 2);
    }
    return sum * step / Math.sqrt(2 * Math.PI);
  }

  private double squaredError(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      double off = at(x[i]) - y[i];
      sum += off * off;
    }
    return sum;
  }

  private static RationalFunction firstGuess(double[] x, double[] y) {
    double[][] rows = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      rows[i] = slopes(x[i], 1, -y[i]);
    }
    // A little damping, because the problem is singular for an odd or even function.
    return of(solve(rows, y, 1e-9));
  }

  /** Powers of x, multiplied by one factor for P and another for Q. */
  private static double[] slopes(double x, double p, double q) {
    double[] row = new double[NUMERATOR + DENOMINATOR];
    for (int k = 0; k < NUMERATOR; k++) {
      row[k] = p * Math.pow(x, k);
    }
    for (int k = 0; k < DENOMINATOR; k++) {
      row[NUMERATOR + k] = q * Math.pow(x, k + 1);
    }
    return row;
  }

  private RationalFunction improved(double[] x, double[] y, double damping) {
    double[][] rows = new double[x.length][];
    double[] off = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      double q = q(x[i]);
      double r = 1 / (1 + Math.abs(q));
      rows[i] = slopes(x[i], r, -p(x[i]) * r * r * (q >= 0 ? 1 : -1));
      off[i] = y[i] - at(x[i]);
    }
    double[] change = solve(rows, off, damping);
    for (int k = 0; k < NUMERATOR; k++) {
      change[k] += numerator[k];
    }
    for (int k = 0; k < DENOMINATOR; k++) {
      change[NUMERATOR + k] += denominator[k];
    }
    return of(change);
  }

  private static RationalFunction of(double[] coefficients) {
    return new RationalFunction(
        Arrays.copyOf(coefficients, NUMERATOR),
        Arrays.copyOfRange(coefficients, NUMERATOR, NUMERATOR + DENOMINATOR));
  }

  /** The z that minimises |rows z - y|² + damping |z|², weighted by each column's square. */
  private static double[] solve(double[][] rows, double[] y, double damping) {
    int n = rows[0].length;
    double[][] a = new double[n][n + 1];
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < n; j++) {
        for (int k = 0; k < n; k++) {
          a[j][k] += rows[i][j] * rows[i][k];
        }
        a[j][n] += rows[i][j] * y[i];
      }
    }
    for (int j = 0; j < n; j++) {
      a[j][j] += damping * a[j][j] + 1e-12;
    }
    return eliminate(a);
  }

  /** Gauss' elimination of a system with its right side in the last column. */
  private static double[] eliminate(double[][] a) {
    int n = a.length;
    for (int j = 0; j < n; j++) {
      int pivot = j;
      for (int i = j + 1; i < n; i++) {
        pivot = Math.abs(a[i][j]) > Math.abs(a[pivot][j]) ? i : pivot;
      }
      double[] row = a[pivot];
      a[pivot] = a[j];
      a[j] = row;
      for (int i = 0; i < n; i++) {
        double factor = i == j ? 0 : a[i][j] / row[j];
        for (int k = j; factor != 0 && k <= n; k++) {
          a[i][k] -= factor * row[k];
        }
      }
    }
    double[] z = new double[n];
    for (int j = 0; j < n; j++) {
      z[j] = a[j][n] / a[j][j];
    }
    return z;
  }
}
