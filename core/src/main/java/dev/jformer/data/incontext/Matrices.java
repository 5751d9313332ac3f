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
}
