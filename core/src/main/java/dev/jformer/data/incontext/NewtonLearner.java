package dev.jformer.data.incontext;

import dev.jformer.config.Checks;

/**
 * Least squares by some steps of Newton's iteration for the inverse of S, the mean of x xᵀ: M
 * becomes 2 M - M S M, from S / |S|² on. Each step doubles the number of correct digits (<a
 * href="https://doi.org/10.1002/zamm.19330130111">Iterative Berechnung der reziproken Matrix</a>).
 *
 * @param steps number of steps
 */
public record NewtonLearner(int steps) implements Learner {
  /** Checks the values. */
  public NewtonLearner {
    Checks.atLeast("steps", steps, 0);
  }

  @Override
  public String name() {
    return steps + " steps of Newton's iteration";
  }

  @Override
  public Run start(int inputs) {
    return new NormalEquations(inputs) {
      @Override
      double[] weights(double[][] square, double[] product) {
        int n = product.length;
        double norm = 0;
        for (double[] row : square) {
          norm += Draws.dot(row, row);
        }
        double[][] inverse = new double[n][n];
        for (int i = 0; i < n && norm > 0; i++) {
          for (int j = 0; j < n; j++) {
            inverse[i][j] = square[i][j] / norm;
          }
        }
        for (int step = 0; step < steps; step++) {
          inverse = improved(inverse, square);
        }
        return Matrices.times(inverse, product);
      }
    };
  }

  private static double[][] improved(double[][] inverse, double[][] square) {
    int n = inverse.length;
    double[][] next = new double[n][n];
    double[][] product = product(product(inverse, square), inverse);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        next[i][j] = 2 * inverse[i][j] - product[i][j];
      }
    }
    return next;
  }

  private static double[][] product(double[][] a, double[][] b) {
    double[][] result = new double[a.length][b[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int k = 0; k < b.length; k++) {
        for (int j = 0; j < b[0].length; j++) {
          result[i][j] += a[i][k] * b[k][j];
        }
      }
    }
    return result;
  }
}
