package dev.jformer.studies.compare;

import dev.jformer.metrics.Metric;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Tables and figures of a comparison. */
record ComparisonReport(Comparison comparison, ExperimentContext context, List<Result> results) {
  private static final double MIB = 1 << 20;

  private static final String FRONT =
      "* on the Pareto front of quality, training speed, memory, size on disk";

  /** The share of a speed by which its rounds may vary before it is called doubtful. */
  private static final double UNSTEADY = 0.2;

  void write(Choice choice) {
    context.summary(
        String.format(
            Locale.ROOT,
            "For %s, take %s: %s.",
            comparison.priority().name().toLowerCase(Locale.ROOT),
            choice.result().name(),
            choice.reason()));
    tables().forEach(context::table);
    Metric primary = primary();
    String axis = title(primary);
    context.figure(
        new Figure(
            capital(primary.name()) + " against training speed",
            "training, units/s",
            axis,
            false,
            false,
            results.stream()
                .map(r -> Figure.Series.point(label(r), r.trainingSpeed(), quality(r)))
                .toList()));
    context.figure(curves("by step", "steps", axis, m -> (double) m.step()));
    context.figure(
        curves("by time", "seconds of training", axis, TrainingOutcome.Measurement::seconds));
    context.note(
        "Peak memory is that of the training, less the memory in use before it; operations are"
            + " those of matrix products, forward and backward; the state is the memory for generating"
            + " one sequence of the model's length. A compressed variant shows the training of the"
            + " model that it compresses.");
    if (results.stream().anyMatch(r -> isUnsteady(r.speed()))) {
      context.note(
          "The speed of training varied by more than "
              + Math.round(100 * UNSTEADY)
              + " % between rounds: other programs ran on the machine. Repeat the comparison on a"
              + " quiet one with --fresh before relying on speeds.");
    }
    for (Result r : results) {
      if (r.diverged()) {
        context.note(r.name() + " diverged: its loss became NaN or infinite.");
      }
    }
  }

  private static boolean isUnsteady(Estimate speed) {
    return speed.spread() > UNSTEADY * speed.value();
  }

  /** Narrow tables, which small screens can show. */
  private List<Table> tables() {
    Map<String, Function<Result, Object>> quality = new LinkedHashMap<>();
    for (Metric metric : metrics()) {
      quality.put(title(metric), r -> r.metric(metric.name()).text());
    }
    quality.put("steps", r -> r.runs().get(0).training().steps());
    Map<String, Function<Result, Object>> speed = new LinkedHashMap<>();
    speed(speed, "training, units/s", Result::speed);
    speed(speed, "reading, units/s", r -> r.inference().reading());
    speed(speed, "writing, tokens/s", r -> r.inference().writing());
    Map<String, Function<Result, Object>> size = new LinkedHashMap<>();
    number(size, "peak memory, MiB", r -> r.peakBytes() < 0 ? Double.NaN : r.peakBytes() / MIB);
    number(size, "on disk, MiB", r -> r.bytes() / MIB);
    number(size, "weights, M", r -> r.parameters() / 1e6);
    Map<String, Function<Result, Object>> more = new LinkedHashMap<>();
    number(more, "state, KiB", r -> r.inference().stateBytes() / 1024);
    number(more, "Mflop/unit", r -> r.flops() / 1e6);
    return Stream.of(
            table("Quality, each with " + comparison.budget() + "; " + FRONT, quality),
            table("Speed, median and spread of rounds in which all take turns", speed),
            table("Memory and size", size),
            table("State and operations", more))
        .filter(table -> table.columns().size() > 1)
        .toList();
  }

  private Table table(String title, Map<String, Function<Result, Object>> columns) {
    Map<String, Function<Result, Object>> all = new LinkedHashMap<>();
    all.put("variant", this::label);
    all.putAll(columns);
    return new Table(
        title,
        List.copyOf(all.keySet()),
        results.stream()
            .map(r -> Table.row(all.values().stream().map(c -> c.apply(r)).toArray()))
            .toList());
  }

  /** Adds a column of speeds with their spread, unless no variant has one. */
  private void speed(
      Map<String, Function<Result, Object>> columns,
      String title,
      Function<Result, Estimate> value) {
    if (results.stream().anyMatch(r -> !Double.isNaN(value.apply(r).value()))) {
      columns.put(title, r -> value.apply(r).text());
    }
  }

  /** Adds a column, unless no variant has a value for it. */
  private void number(
      Map<String, Function<Result, Object>> columns, String title, ToDoubleFunction<Result> value) {
    if (results.stream().anyMatch(r -> !Double.isNaN(value.applyAsDouble(r)))) {
      columns.put(title, r -> value.applyAsDouble(r));
    }
  }

  private String label(Result r) {
    return r.name() + (Choice.isOnFront(r, results) ? " *" : "");
  }

  private List<Metric> metrics() {
    return results.stream()
        .flatMap(r -> r.runs().stream())
        .filter(run -> run.metrics() != null)
        .findFirst()
        .map(run -> run.metrics().all())
        .orElse(List.of(primary()));
  }

  private Metric primary() {
    return results.stream()
        .map(Result::primary)
        .filter(metric -> metric != null)
        .findFirst()
        .orElse(Metric.lower(Metric.LOSS, Double.NaN, ""));
  }

  private double quality(Result r) {
    return r.metric(primary().name()).value();
  }

  private static String title(Metric metric) {
    return metric.unit().isEmpty() ? metric.name() : metric.name() + ", " + metric.unit();
  }

  private static String capital(String text) {
    return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
  }

  /**
   * Returns the curves of held-out quality during training, for the first seed of each trained
   * variant.
   */
  private Figure curves(
      String by, String x, String y, Function<TrainingOutcome.Measurement, Double> place) {
    Map<String, Figure.Series> series = new LinkedHashMap<>();
    for (Variant variant : comparison.variants()) {
      results.stream()
          .filter(r -> r.name().equals(variant.name()) && !variant.isCompressed())
          .forEach(r -> series.put(r.name(), curve(r, place)));
    }
    String title = "Held-out " + primary().name() + " " + by;
    return new Figure(title, x, y, false, false, new ArrayList<>(series.values()));
  }

  private static Figure.Series curve(
      Result r, Function<TrainingOutcome.Measurement, Double> place) {
    List<TrainingOutcome.Measurement> evaluations = r.runs().get(0).training().evaluations();
    return Figure.Series.line(
        r.name(),
        evaluations.stream().map(place).toList(),
        evaluations.stream().map(e -> e.metrics().primary().value()).toList());
  }
}
