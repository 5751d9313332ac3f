package dev.jformer.data.incontext;

import java.util.List;
import java.util.SplittableRandom;

/** Systems of linear equations, solved anew for each question. */
final class Equations {
  private Equations() {}

  /** Solves A z = b by elimination with pivots. */
  static double[] solve(double[][] a, double[] b) {
    int n = b.length;
    double[][] rows = new double[n][];
    for (int i = 0; i < n; i++) {
      rows[i] = java.util.Arrays.copyOf(a[i], n + 1);
      rows[i][n] = b[i];
    }
    for (int column = 0; column < n; column++) {
      int best = column;
      for (int i = column; i < n; i++) {
        best = Math.abs(rows[i][column]) > Math.abs(rows[best][column]) ? i : best;
      }
      double[] swap = rows[best];
      rows[best] = rows[column];
      rows[column] = swap;
      for (int i = 0; i < n; i++) {
        double factor = i == column ? 0 : rows[i][column] / rows[column][column];
        for (int j = column; j <= n && i != column; j++) {
          rows[i][j] -= factor * rows[column][j];
        }
      }
    }
    double[] z = new double[n];
    for (int i = 0; i < n; i++) {
      z[i] = rows[i][n] / rows[i][i];
    }
    return z;
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  static double[] gaussian(int n, SplittableRandom random) {
    double[] x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = random.nextGaussian();
    }
    return x;
  }

  /** Σ x xᵀ + penalty I. */
  static double[][] squares(List<double[]> xs, int n, double penalty) {
    double[][] sum = new double[n][n];
    for (int i = 0; i < n; i++) {
      sum[i][i] = penalty;
      for (int j = 0; j < n; j++) {
        for (double[] x : xs) {
          sum[i][j] += x[i] * x[j];
        }
      }
    }
    return sum;
  }

  static double[] products(List<double[]> xs, List<Double> ys, int n) {
    double[] sum = new double[n];
    for (int t = 0; t < xs.size(); t++) {
      for (int i = 0; i < n; i++) {
        sum[i] += xs.get(t)[i] * ys.get(t);
      }
    }
    return sum;
  }

  /** XXᵀ + noise I. */
  static double[][] gram(List<double[]> xs, double noise) {
    double[][] gram = new double[xs.size()][xs.size()];
    for (int i = 0; i < gram.length; i++) {
      for (int j = 0; j < gram.length; j++) {
        gram[i][j] = dot(xs.get(i), xs.get(j)) + (i == j ? noise : 0);
      }
    }
    return gram;
  }

  static double[] array(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
