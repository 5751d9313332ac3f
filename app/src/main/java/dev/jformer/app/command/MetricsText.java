package dev.jformer.app.command;

import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import java.util.Locale;
import java.util.stream.Collectors;

/** Metrics in words. */
final class MetricsText {
  /** How the unit of a number begins that is shown times another. */
  private static final String SCALED = "x ";

  private MetricsText() {}

  /** For example {@code loss 1.4800 nats per token, perplexity 4.3929}. */
  static String of(Metrics metrics) {
    return metrics.all().stream().map(MetricsText::of).collect(Collectors.joining(", "));
  }

  private static String of(Metric metric) {
    String name = Printer.label(metric.name());
    String unit = unit(metric);
    if (unit.startsWith(SCALED)) {
      return name + " (" + unit + ") " + value(metric);
    }
    return name + " " + value(metric) + (unit.isEmpty() ? "" : " " + unit);
  }

  /** The value without its unit; shares are in per cent. */
  static String value(Metric metric) {
    return isShare(metric)
        ? String.format(Locale.ROOT, "%.2f", number(metric))
        : Printer.number(metric.value());
  }

  /** The number that {@link #value} shows. */
  static double number(Metric metric) {
    return isShare(metric) ? 100 * metric.value() : metric.value();
  }

  /** The unit of {@link #value}. */
  static String unit(Metric metric) {
    return isShare(metric) ? Unit.SHARE : metric.unit();
  }

  private static boolean isShare(Metric metric) {
    return metric.name().equals(Metric.ACCURACY) && metric.unit().isEmpty();
  }
}
