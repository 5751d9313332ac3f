package dev.jformer.studies.evidence;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleBinaryOperator;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A comparison of measured values, with its verdict.
 *
 * <p>The rule: two values differ if their distance is more than half the 95 % confidence interval
 * of the difference ({@link Estimate#noise}: Student's t, with a common variance). Then the check
 * holds or does not hold; otherwise the values are not told apart. With two arms of three seeds
 * each the distance must be 2.27 standard deviations, with five seeds 1.46. A value compared with
 * an exact bound is judged by its own interval. Test items count like seeds; compare two models on
 * the same items by {@link Estimate#ofPairs}. A value that was measured once has no spread: the
 * verdict compares the values only, and {@code basis} says so ({@code one seed}). If only one side
 * has a spread, it is used for both. Exact numbers are compared by value.
 *
 * @param text the comparison with its figures, for example {@code exponent 1.04 ≤ 1.15}
 * @param verdict holds, does not hold, or not told apart
 * @param basis the number of measurements behind the verdict, for example {@code 3 seeds each};
 *     empty for exact numbers
 */
public record Check(String text, Verdict verdict, String basis) {
  @JsonCreator
  static Check read(
      @JsonProperty("text") String text,
      @JsonProperty("verdict") Verdict verdict,
      @JsonProperty("basis") String basis,
      @JsonProperty("holds") Boolean holds) {
    // Results of earlier versions have "holds" only.
    Verdict known = verdict == null ? Verdict.of(Boolean.TRUE.equals(holds)) : verdict;
    return new Check(text, known, basis == null ? "" : basis);
  }

  /** Checks {@code value ≤ bound}; false for NaN. */
  public static Check atMost(String name, Estimate value, Estimate bound) {
    return compare(name, value, "≤", bound, (a, b) -> b - a, true);
  }

  /** Checks {@code value ≤ bound} for an exact bound. */
  public static Check atMost(String name, Estimate value, double bound) {
    return atMost(name, value, Estimate.exactly(bound));
  }

  /** Checks {@code value ≤ bound} for exact numbers. */
  public static Check atMost(String name, double value, double bound) {
    return atMost(name, Estimate.exactly(value), bound);
  }

  /** Checks {@code value ≥ bound}; false for NaN. */
  public static Check atLeast(String name, Estimate value, Estimate bound) {
    return compare(name, value, "≥", bound, (a, b) -> a - b, true);
  }

  /** Checks {@code value ≥ bound} for an exact bound. */
  public static Check atLeast(String name, Estimate value, double bound) {
    return atLeast(name, value, Estimate.exactly(bound));
  }

  /** Checks {@code value ≥ bound} for exact numbers. */
  public static Check atLeast(String name, double value, double bound) {
    return atLeast(name, Estimate.exactly(value), bound);
  }

  /** Checks {@code value < bound}; false for NaN. */
  public static Check below(String name, Estimate value, Estimate bound) {
    return compare(name, value, "<", bound, (a, b) -> b - a, false);
  }

  /** Checks {@code value < bound} for an exact bound. */
  public static Check below(String name, Estimate value, double bound) {
    return below(name, value, Estimate.exactly(bound));
  }

  /** Checks {@code value < bound} for exact numbers. */
  public static Check below(String name, double value, double bound) {
    return below(name, Estimate.exactly(value), bound);
  }

  /** Checks {@code value > bound}; false for NaN. */
  public static Check above(String name, Estimate value, Estimate bound) {
    return compare(name, value, ">", bound, (a, b) -> a - b, false);
  }

  /** Checks {@code value > bound} for an exact bound. */
  public static Check above(String name, Estimate value, double bound) {
    return above(name, value, Estimate.exactly(bound));
  }

  /** Checks {@code value > bound} for exact numbers. */
  public static Check above(String name, double value, double bound) {
    return above(name, Estimate.exactly(value), bound);
  }

  /**
   * Checks that all of these hold: if one does not hold, all do not; otherwise, if one is not told
   * apart, all are not.
   */
  public static Check all(Check... checks) {
    return new Check(
        Arrays.stream(checks).map(Check::text).collect(Collectors.joining("; ")),
        anyIs(Verdict.DOES_NOT_HOLD, checks)
            ? Verdict.DOES_NOT_HOLD
            : anyIs(Verdict.NOT_TOLD_APART, checks) ? Verdict.NOT_TOLD_APART : Verdict.HOLDS,
        Arrays.stream(checks)
            .map(Check::basis)
            .filter(basis -> !basis.isEmpty())
            .distinct()
            .collect(Collectors.joining("; ")));
  }

  /** As {@link #all(Check...)}. */
  public static Check all(List<Check> checks) {
    return all(checks.toArray(Check[]::new));
  }

  /** Checks that what is checked of each of these things holds, as {@link #all(Check...)}. */
  public static <T> Check each(Collection<T> things, Function<T, Check> check) {
    return all(things.stream().map(check).toList());
  }

  private static boolean anyIs(Verdict verdict, Check... checks) {
    return Arrays.stream(checks).anyMatch(check -> check.verdict == verdict);
  }

  private static Check compare(
      String name,
      Estimate value,
      String sign,
      Estimate bound,
      DoubleBinaryOperator advantage,
      boolean equalHolds) {
    double by = advantage.applyAsDouble(value.value(), bound.value());
    boolean holds = by > 0 || (equalHolds && value.value() == bound.value());
    double noise = value.noise(bound);
    // Infinite values come from diverged trainings and have no spread: compared by value.
    Verdict verdict =
        noise > 0 && Math.abs(by) <= noise ? Verdict.NOT_TOLD_APART : Verdict.of(holds);
    String relation =
        switch (verdict) {
          case HOLDS -> sign;
          case NOT_TOLD_APART -> "is not told apart from";
          default -> "is not " + sign;
        };
    return new Check(
        name + " " + value.text() + " " + relation + " " + bound.text(),
        verdict,
        value.basis(bound));
  }

  /** Whether the verdict is {@link Verdict#HOLDS}. */
  public boolean holds() {
    return verdict == Verdict.HOLDS;
  }

  /** The figures, with the basis of the verdict in brackets. */
  public String inFull() {
    return basis.isEmpty() ? text : text + " (" + basis + ")";
  }

  /**
   * Formats a sentence as {@link String#format} does: numbers with four significant digits, as
   * {@link #number}, and estimates with their spread, as {@link Estimate#text}.
   *
   * @param format with {@code %s} for each value
   */
  public static String sentence(String format, Object... values) {
    Object[] texts =
        Arrays.stream(values)
            .map(v -> v instanceof Estimate e ? e.text() : v instanceof Double d ? number(d) : v)
            .toArray();
    return String.format(Locale.ROOT, format, texts);
  }

  /** Formats a number with two significant digits, for a spread. */
  static String rounded(double value) {
    if (value == 0 || !Double.isFinite(value)) {
      return number(value);
    }
    double size = Math.abs(value);
    if (size < 1e-4 || size >= 1e6) {
      return String.format(Locale.ROOT, "%.1e", value);
    }
    int decimals = Math.max(0, 1 - (int) Math.floor(Math.log10(size)));
    return String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }

  /** Formats a number with four significant digits, as in reports. */
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
