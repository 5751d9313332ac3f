package dev.jformer.words;

/** The model of skip-grams: the probability that a word stands around another. */
final class SkipGram {
  private SkipGram() {}

  /** The product of a row of one matrix and a row of another. */
  static float product(float[] a, int row, float[] b, int other, int dimension) {
    int from = row * dimension;
    int to = other * dimension;
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    int i = 0;
    for (; i + 3 < dimension; i += 4) { // four sums: they do not wait for each other
      s0 += a[from + i] * b[to + i];
      s1 += a[from + i + 1] * b[to + i + 1];
      s2 += a[from + i + 2] * b[to + i + 2];
      s3 += a[from + i + 3] * b[to + i + 3];
    }
    for (; i < dimension; i++) {
      s0 += a[from + i] * b[to + i];
    }
    return (s0 + s1) + (s2 + s3);
  }

  static float sigmoid(float x) {
    return (float) (1 / (1 + Math.exp(-x)));
  }
}
