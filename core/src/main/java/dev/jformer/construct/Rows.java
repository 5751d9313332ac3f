package dev.jformer.construct;

import java.util.Arrays;

/**
 * Rows of matrices that are written by hand.
 *
 * @param width of a row
 */
record Rows(int width) {
  /** The rows, and their negatives after them. */
  static double[][] both(double[]... rows) {
    double[][] all = new double[2 * rows.length][];
    for (int i = 0; i < rows.length; i++) {
      all[i] = rows[i];
      all[rows.length + i] = Arrays.stream(rows[i]).map(x -> -x).toArray();
    }
    return all;
  }

  /** A row that is zero but for one place. */
  double[] times(int place, double factor) {
    double[] row = new double[width];
    row[place] = factor;
    return row;
  }

  /** A row that is zero but for a 1. */
  double[] only(int place) {
    return times(place, 1);
  }

  /**
   * A head that writes the mean of a feature that is -1, 0 or 1: the norm of (f, -f) is (f, -f).
   *
   * @param to the place that it is written to
   */
  SaturatedDecoder.Head mean(double[] feature, int to) {
    double[][] out = new double[width][2];
    out[to][0] = 1;
    return new SaturatedDecoder.Head(
        new double[1][width], new double[1][width], both(feature), out);
  }
}
