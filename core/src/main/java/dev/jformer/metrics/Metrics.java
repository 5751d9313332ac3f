package dev.jformer.metrics;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The results of an evaluation as named values. The first one is the primary metric, by which
 * models are compared and the best weights of a training are chosen.
 *
 * @param all the metrics, at least one, with distinct names
 */
public record Metrics(List<Metric> all) {
  /** Checks that there is at least one metric and that names are distinct. */
  public Metrics {
    if (all.isEmpty()) {
      throw new IllegalArgumentException("there are no metrics: expected at least one");
    }
    Set<String> names = new HashSet<>();
    for (Metric metric : all) {
      if (!names.add(metric.name())) {
        throw new IllegalArgumentException(
            "the metric '" + metric.name() + "' is there twice: expected each name once");
      }
    }
    all = List.copyOf(all);
  }

  /** Creates metrics in this order. */
  public static Metrics of(Metric primary, Metric... others) {
    List<Metric> all = new ArrayList<>(List.of(primary));
    all.addAll(List.of(others));
    return new Metrics(all);
  }

  /**
   * Creates metrics that consist of a loss only.
   *
   * @param unit for example {@code nats per token}
   */
  public static Metrics ofLoss(double loss, String unit) {
    return of(Metric.lower(Metric.LOSS, loss, unit));
  }

  /** The metric by which models are compared. */
  public Metric primary() {
    return all.get(0);
  }

  /** Finds the metric of a name, if it was measured. */
  public Optional<Metric> find(String name) {
    return all.stream().filter(metric -> metric.name().equals(name)).findFirst();
  }

  /**
   * The value of the metric of a name.
   *
   * @throws IllegalArgumentException if it was not measured
   */
  public double get(String name) {
    return find(name)
        .map(Metric::value)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no metric '"
                        + name
                        + "': there are "
                        + all.stream().map(Metric::name).collect(Collectors.joining(", "))));
  }

  /**
   * The loss: the metric of this name, else the primary one if lower is better, else NaN. For a
   * forecaster it is the mean squared error.
   */
  public double loss() {
    double primary = primary().higherIsBetter() ? Double.NaN : primary().value();
    return find(Metric.LOSS).map(Metric::value).orElse(primary);
  }

  /** Appends a metric. */
  public Metrics with(Metric more) {
    List<Metric> longer = new ArrayList<>(all);
    longer.add(more);
    return new Metrics(longer);
  }

  /** Puts a new primary metric before these. */
  public Metrics under(Metric primary) {
    return of(primary, all.toArray(Metric[]::new));
  }

  /** Formats the metrics, for example as {@code loss 0.2100 nats, accuracy 0.9300}. */
  @Override
  public String toString() {
    return all.stream().map(Metric::toString).collect(Collectors.joining(", "));
  }
}
