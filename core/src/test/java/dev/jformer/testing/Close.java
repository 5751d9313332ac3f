package dev.jformer.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Assertions that numbers agree up to rounding; failures name the worst element. */
public final class Close {
  private Close() {}

  /** Both have the same shape, and |actual - expected| ≤ tolerance · max(1, |expected|). */
  public static void assertClose(Tensor expected, Tensor actual, double tolerance) {
    assertEquals(expected.shape(), actual.shape(), "shape");
    assertClose(expected.toDoubles(), actual, tolerance);
  }

  /** As {@link #assertClose(Tensor, Tensor, double)}, for values in row-major order. */
  public static void assertClose(double[] expected, Tensor actual, double tolerance) {
    assertClose(expected, actual, tolerance, "");
  }

  /** As {@link #assertClose(double[], Tensor, double)}; a failure says what was compared. */
  public static void assertClose(double[] expected, Tensor actual, double tolerance, String what) {
    compare(expected, actual.toDoubles(), actual.shape(), tolerance, what);
  }

  /** As {@link #assertClose(double[], Tensor, double)}, for a matrix. */
  public static void assertClose(double[][] expected, Tensor actual, double tolerance) {
    assertClose(flat(expected), actual, tolerance);
  }

  /** The same shape, type and values, to the bit. */
  public static void assertSame(Tensor expected, Tensor actual, String what) {
    assertEquals(expected.shape(), actual.shape(), what + ": shape");
    assertEquals(expected.dtype(), actual.dtype(), what + ": type");
    compare(expected.toDoubles(), actual.toDoubles(), actual.shape(), 0, what);
  }

  /** A matrix's values in row-major order. */
  public static double[] flat(double[][] rows) {
    return java.util.Arrays.stream(rows).flatMapToDouble(java.util.Arrays::stream).toArray();
  }

  private static void compare(
      double[] expected, double[] actual, Shape shape, double tolerance, String what) {
    assertEquals(expected.length, actual.length, what + ": number of elements of " + shape);
    int wrong = 0;
    int worst = -1;
    double worstExcess = -1;
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      double error = error(expected[i], actual[i]);
      largest = Math.max(largest, error);
      double limit = tolerance * Math.max(1, Math.abs(expected[i]));
      if (error > 0 && !(error <= limit)) {
        wrong++;
        double excess = limit == 0 ? error : error / limit;
        if (excess > worstExcess) {
          worst = i;
          worstExcess = excess;
        }
      }
    }
    if (wrong > 0) {
      fail(
          String.format(
              Locale.ROOT,
              "%s%d of %d elements of %s are off by more than %.1e; the worst is at %s:"
                  + " expected %.12g, got %.12g (largest absolute error %.3e)",
              what.isEmpty() ? "" : what + ": ",
              wrong,
              expected.length,
              shape,
              tolerance,
              coordinates(worst, shape),
              expected[worst],
              actual[worst],
              largest));
    }
  }

  private static double error(double expected, double actual) {
    if (Double.compare(expected, actual) == 0 || expected == actual) {
      return 0;
    }
    double error = Math.abs(expected - actual);
    return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
  }

  private static List<Long> coordinates(int index, Shape shape) {
    List<Long> coordinates = new ArrayList<>();
    long rest = index;
    for (int dim = shape.rank() - 1; dim >= 0; dim--) {
      coordinates.add(0, rest % shape.size(dim));
      rest /= shape.size(dim);
    }
    return coordinates;
  }
}
