package dev.jformer.ffn.expert;

import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Tensor;

/** Initial vectors of experts that are orthogonal as far as the dimensions allow. */
final class Centroids {
  private static final double LENGTH = 0.1;

  private Centroids() {}

  /** Draws N vectors of length 0.1, [N, D]; each run of D vectors is orthogonal. */
  static Tensor draw(int experts, int width) {
    if (MetaMode.isOpen()) {
      return Tensor.zeros(experts, width);
    }
    double[] drawn = Tensor.randn(experts, width).toDoubles();
    double[][] rows = new double[experts][width];
    for (int e = 0; e < experts; e++) {
      System.arraycopy(drawn, e * width, rows[e], 0, width);
      for (int before = e - e % width; before < e; before++) {
        double along = dot(rows[e], rows[before]) / dot(rows[before], rows[before]);
        for (int i = 0; i < width; i++) {
          rows[e][i] -= along * rows[before][i];
        }
      }
      double scale = LENGTH / Math.sqrt(dot(rows[e], rows[e]));
      for (int i = 0; i < width; i++) {
        rows[e][i] *= scale;
      }
    }
    float[] flat = new float[experts * width];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = (float) rows[i / width][i % width];
    }
    return Tensor.of(flat, experts, width);
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
