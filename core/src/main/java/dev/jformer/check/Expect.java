package dev.jformer.check;

import dev.jformer.tensor.Tensor;
import java.util.Locale;

/** Expectations of the checks; one that is not met throws an {@link AssertionError}. */
final class Expect {
  private Expect() {}

  /** The problem is what is wrong if the condition does not hold. */
  static void that(boolean holds, String problem) {
    if (!holds) {
      throw new AssertionError(problem);
    }
  }

  static void equal(long expected, long found, String what) {
    if (expected != found) {
      throw new AssertionError(what + ": expected " + expected + ", but found " + found);
    }
  }

  /** Both have the same shape, type and values, to the bit. */
  static void same(Tensor expected, Tensor found, String what) {
    if (!expected.dtype().equals(found.dtype())) {
      throw new AssertionError(
          what + ": expected the type " + expected.dtype() + ", but found " + found.dtype());
    }
    near(expected, found, 0, what);
  }

  /** Both have the same shape, and |found - expected| ≤ tolerance · max(1, |expected|). */
  static void near(Tensor expected, Tensor found, double tolerance, String what) {
    if (!expected.shape().equals(found.shape())) {
      throw new AssertionError(
          what + ": expected the shape " + expected.shape() + ", but found " + found.shape());
    }
    double[] right = expected.toDoubles();
    double[] values = found.toDoubles();
    int worst = -1;
    int wrong = 0;
    double worstExcess = 0;
    for (int i = 0; i < right.length; i++) {
      double limit = tolerance * Math.max(1, Math.abs(right[i]));
      if (Double.compare(right[i], values[i]) == 0 || Math.abs(values[i] - right[i]) <= limit) {
        continue;
      }
      wrong++;
      double excess = Math.abs(values[i] - right[i]) - limit;
      if (worst < 0 || !(excess <= worstExcess)) {
        worst = i;
        worstExcess = excess;
      }
    }
    if (wrong > 0) {
      throw new AssertionError(
          String.format(
              Locale.ROOT,
              "%s: %d of %d values of %s differ by more than %.1e; the worst is number %d: expected"
                  + " %.9g, but found %.9g",
              what,
              wrong,
              right.length,
              expected.shape(),
              tolerance,
              worst,
              right[worst],
              values[worst]));
    }
  }
}
