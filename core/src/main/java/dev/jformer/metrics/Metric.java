package dev.jformer.metrics;

import java.util.Locale;

/**
 * One measured value with its name.
 *
 * @param name for example {@code loss}, {@code accuracy} or {@code bleu}
 * @param value NaN or infinite if the model diverged
 * @param unit in words, for example {@code nats per token}; empty for none
 * @param higherIsBetter whether a larger value is a better one
 */
public record Metric(String name, double value, String unit, boolean higherIsBetter) {
  /** The name of the loss. */
  public static final String LOSS = "loss";

  /** The name of the share of correct answers. */
  public static final String ACCURACY = "accuracy";

  /** Creates a metric of which lower values are better. */
  public static Metric lower(String name, double value, String unit) {
    return new Metric(name, value, unit, false);
  }

  /** Creates a metric of which higher values are better. */
  public static Metric higher(String name, double value, String unit) {
    return new Metric(name, value, unit, true);
  }

  /** Whether this value is strictly better than another of the same metric; never if it is NaN. */
  public boolean isBetterThan(double other) {
    return higherIsBetter ? value > other : value < other;
  }

  /** Whether this value is as good as another of the same metric, or better. */
  public boolean isAtLeast(double other) {
    return higherIsBetter ? value >= other : value <= other;
  }

  /** Formats the metric, for example as {@code loss 1.4800 nats per token}. */
  @Override
  public String toString() {
    String number = String.format(Locale.ROOT, "%s %.4f", name, value);
    return unit.isEmpty() ? number : number + " " + unit;
  }
}
