package dev.jformer.studies.evidence;

import java.util.Arrays;
import java.util.Locale;

/**
 * A predicate over measured values, with its outcome.
 *
 * @param text the comparison in figures, for example {@code exponent 1.04 ≤ 1.15}
 * @param holds whether it is true of the values measured
 */
public record Check(String text, boolean holds) {
  /** {@code value ≤ bound}; never true of NaN. */
  public static Check atMost(String name, double value, double bound) {
    return compare(name, value, "≤", bound, value <= bound);
  }

  /** {@code value ≥ bound}; never true of NaN. */
  public static Check atLeast(String name, double value, double bound) {
    return compare(name, value, "≥", bound, value >= bound);
  }

  /** {@code value < bound}; never true of NaN. */
  public static Check below(String name, double value, double bound) {
    return compare(name, value, "<", bound, value < bound);
  }

  /** {@code value > bound}; never true of NaN. */
  public static Check above(String name, double value, double bound) {
    return compare(name, value, ">", bound, value > bound);
  }

  /** True if all are. */
  public static Check all(Check... checks) {
    return new Check(
        String.join("; ", Arrays.stream(checks).map(Check::text).toList()),
        Arrays.stream(checks).allMatch(Check::holds));
  }

  private static Check compare(
      String name, double value, String sign, double bound, boolean holds) {
    String relation = holds ? sign : "is not " + sign;
    return new Check(name + " " + number(value) + " " + relation + " " + number(bound), holds);
  }

  /** A number with four significant digits, as reports print it. */
  public static String number(double value) {
    if (!Double.isFinite(value)) {
      return Double.isNaN(value) ? "none" : value > 0 ? "∞" : "-∞";
    }
    double size = Math.abs(value);
    if (size != 0 && (size < 1e-3 || size >= 1e7)) {
      return String.format(Locale.ROOT, "%.3g", value);
    }
    if (value == Math.rint(value) && size < 1e7) {
      return String.format(Locale.ROOT, "%,d", (long) value);
    }
    int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }
}
