package dev.jformer.data.incontext;

import java.util.SplittableRandom;

/** Random vectors, and what is computed of them. */
final class Draws {
  /** More inputs than this are a mistake: solvers need n² numbers. */
  static final int MOST_INPUTS = 1000;

  private Draws() {}

  static double[] normal(int n, SplittableRandom random) {
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextGaussian();
    }
    return values;
  }

  /** Signs, -1 or 1 with equal probability. */
  static double[] signs(int n, SplittableRandom random) {
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextBoolean() ? 1 : -1;
    }
    return values;
  }

  /** {@code count} different numbers from 0 to n - 1, in ascending order. */
  static int[] subset(int n, int count, SplittableRandom random) {
    int[] chosen = new int[count];
    int taken = 0;
    for (int i = 0; taken < count; i++) {
      if (random.nextInt(n - i) < count - taken) {
        chosen[taken++] = i;
      }
    }
    return chosen;
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
