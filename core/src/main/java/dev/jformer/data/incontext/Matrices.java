package dev.jformer.data.incontext;

/** Small matrices of float64 numbers. */
final class Matrices {
  private Matrices() {}

  /** The identity times a number. */
  static double[][] identity(int n, double scale) {
    double[][] matrix = new double[n][n];
    for (int i = 0; i < n; i++) {
      matrix[i][i] = scale;
    }
    return matrix;
  }

  static double[] times(double[][] matrix, double[] x) {
    double[] result = new double[matrix.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = Draws.dot(matrix[i], x);
    }
    return result;
  }

  /**
   * The lower triangular root L of a symmetric matrix {@code L Lᵀ}. Where rounding leaves nothing
   * of a positive number, the root is 0.
   */
  static double[][] cholesky(double[][] matrix) {
    int n = matrix.length;
    double[][] root = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double rest = matrix[i][j];
        for (int k = 0; k < j; k++) {
          rest -= root[i][k] * root[j][k];
        }
        if (i == j) {
          root[i][i] = Math.sqrt(Math.max(0, rest));
        } else {
          root[i][j] = root[j][j] == 0 ? 0 : rest / root[j][j];
        }
      }
    }
    return root;
  }
}
