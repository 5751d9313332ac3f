package dev.jformer.data.decision;

/** Choices among scores. */
final class Largest {
  private Largest() {}

  /** The index of the largest number, the first of equal ones. */
  static int of(double[] scores) {
    int found = 0;
    for (int i = 1; i < scores.length; i++) {
      found = scores[i] > scores[found] ? i : found;
    }
    return found;
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
