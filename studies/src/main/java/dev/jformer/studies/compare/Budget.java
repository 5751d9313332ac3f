package dev.jformer.studies.compare;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The training budget of each variant.
 *
 * @param kind unit of the budget
 * @param amount number of steps, seconds or floating-point operations
 */
public record Budget(Kind kind, double amount) {
  /** The unit of a budget. */
  public enum Kind {
    /** Updates of the weights, so that all variants see the same data. */
    STEPS,
    /** Seconds of training. */
    SECONDS,
    /** Floating-point operations of matrix products, forward and backward. */
    FLOPS
  }

  private static final Pattern TEXT = Pattern.compile("([0-9.]+(?:e[0-9]+)?) *(steps|s|m|h|flops)");

  /** Creates a budget of time. */
  public static Budget of(Duration time) {
    return new Budget(Kind.SECONDS, time.toMillis() / 1e3);
  }

  /** Creates a budget of updates. */
  public static Budget ofSteps(int steps) {
    return new Budget(Kind.STEPS, steps);
  }

  /**
   * Parses {@code 500steps}, {@code 90s}, {@code 10m}, {@code 1h} or {@code 2e15flops}.
   *
   * @throws IllegalArgumentException if the text is none of these, or the amount is not positive
   */
  public static Budget parse(String text) {
    Matcher matcher = TEXT.matcher(text.strip().toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw wrong(text);
    }
    double amount;
    try {
      amount = Double.parseDouble(matcher.group(1));
    } catch (NumberFormatException e) {
      throw wrong(text);
    }
    Budget budget =
        switch (matcher.group(2)) {
          case "steps" -> new Budget(Kind.STEPS, Math.floor(amount));
          case "flops" -> new Budget(Kind.FLOPS, amount);
          case "m" -> new Budget(Kind.SECONDS, 60 * amount);
          case "h" -> new Budget(Kind.SECONDS, 3600 * amount);
          default -> new Budget(Kind.SECONDS, amount);
        };
    if (!(budget.amount > 0) || Double.isInfinite(budget.amount)) {
      throw new IllegalArgumentException(
          "the budget is " + text + ": expected more than 0, for example 10m");
    }
    return budget;
  }

  private static IllegalArgumentException wrong(String text) {
    return new IllegalArgumentException(
        "the budget is '"
            + text
            + "': expected steps, time or operations, for example 500steps, 10m or 2e15flops");
  }

  @Override
  public String toString() {
    return switch (kind) {
      case STEPS -> String.format(Locale.ROOT, "%.0f steps", amount);
      case SECONDS -> String.format(Locale.ROOT, "%.0f s of training", amount);
      case FLOPS -> String.format(Locale.ROOT, "%.3g operations", amount);
    };
  }
}
