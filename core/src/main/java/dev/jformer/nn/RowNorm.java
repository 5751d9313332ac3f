package dev.jformer.nn;

/** Normalisations of rows of plain floats. */
final class RowNorm {
  private RowNorm() {}

  /** Layer normalisation; {@code shifts} are added at the end. */
  static RowFunction layer(float[] factors, float[] shifts, double epsilon) {
    int width = factors.length;
    return (x, y, rows) -> {
      for (int start = 0; start < rows * width; start += width) {
        float mean = (float) (sum(x, start, width) / width);
        double variance = squares(x, start, width, mean) / width;
        float scale = (float) (1 / Math.sqrt(variance + epsilon));
        for (int i = 0; i < width; i++) {
          y[start + i] = (x[start + i] - mean) * scale * factors[i] + shifts[i];
        }
      }
    };
  }

  /** Root-mean-square normalisation. */
  static RowFunction rms(float[] factors, double epsilon) {
    int width = factors.length;
    return (x, y, rows) -> {
      for (int start = 0; start < rows * width; start += width) {
        float scale = (float) (1 / Math.sqrt(squares(x, start, width, 0) / width + epsilon));
        for (int i = 0; i < width; i++) {
          y[start + i] = x[start + i] * scale * factors[i];
        }
      }
    };
  }

  private static double sum(float[] x, int start, int count) {
    double sum = 0;
    for (int i = start; i < start + count; i++) {
      sum += x[i];
    }
    return sum;
  }

  /**
   * The sum of the squared differences from a number, in four parts, whose additions do not wait
   * for each other.
   */
  private static double squares(float[] x, int start, int count, float from) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = start;
    for (; i < start + count - 3; i += 4) {
      a += (double) (x[i] - from) * (x[i] - from);
      b += (double) (x[i + 1] - from) * (x[i + 1] - from);
      c += (double) (x[i + 2] - from) * (x[i + 2] - from);
      d += (double) (x[i + 3] - from) * (x[i + 3] - from);
    }
    for (; i < start + count; i++) {
      a += (double) (x[i] - from) * (x[i] - from);
    }
    return a + b + c + d;
  }
}
