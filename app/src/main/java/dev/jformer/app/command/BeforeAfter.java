package dev.jformer.app.command;

import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.run.ForwardPasses;
import dev.jformer.run.TrainedModel;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.studies.trial.Timings;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A number that was measured of a model before and after compression.
 *
 * @param before the original's
 * @param after the compressed model's
 * @param ratio after to before; of times, the median over rounds in which the two took turns
 * @param low lower quartile of these rounds' ratios, or the ratio
 * @param high upper quartile, or the ratio
 */
record BeforeAfter(double before, double after, double ratio, double low, double high) {
  private static final int BATCH = 32;
  private static final double ENOUGH_SECONDS = 1.5;
  private static final int FEWEST = 3;
  private static final int MOST = 50;

  /** Numbers that were not measured in rounds. */
  BeforeAfter(double before, double after) {
    this(before, after, after / before, after / before, after / before);
  }

  /** Metrics of quality, by names with their units. */
  static Map<String, BeforeAfter> quality(Metrics before, Metrics after) {
    Map<String, BeforeAfter> rows = new LinkedHashMap<>();
    for (Metric metric : before.all()) {
      double other = after.get(metric.name());
      switch (metric.name()) {
        case Metric.LOSS -> rows.put("loss (nats)", new BeforeAfter(metric.value(), other));
        case Metric.ACCURACY ->
            rows.put("right (%)", new BeforeAfter(100 * metric.value(), 100 * other));
        case "spearman" -> rows.put("STS, Spearman x 100", new BeforeAfter(metric.value(), other));
        default -> {
          String unit = metric.unit().isEmpty() ? "" : " (" + metric.unit() + ")";
          rows.put(Printer.label(metric.name()) + unit, new BeforeAfter(metric.value(), other));
        }
      }
    }
    return rows;
  }

  /** Latency and throughput; the two models take turns. */
  static Map<String, BeforeAfter> speed(
      ForwardPasses passes, TrainedModel before, TrainedModel after) {
    List<Model> models = List.of(before.model(), after.model());
    Map<String, BeforeAfter> rows = new LinkedHashMap<>();
    BeforeAfter one = seconds(passes, models, 1);
    BeforeAfter many = seconds(passes, models, BATCH);
    rows.put("latency of 1 (ms)", one.map(1e3, 1));
    rows.put("latency of " + BATCH + " (ms)", many.map(1e3, 1));
    double units = (double) BATCH * passes.units(before.model());
    rows.put(passes.unit() + "/s, " + BATCH + " at a time", many.map(units, -1));
    int tokens = passes.decode(before.model());
    if (tokens > 0) {
      rows.put("tokens/s, decoding one text", seconds(models, passes::decode).map(tokens, -1));
    }
    return rows;
  }

  /** Seconds of a pass. */
  private static BeforeAfter seconds(ForwardPasses passes, List<Model> models, int batch) {
    try (Scope scope = Scope.open()) {
      Tensor input = passes.input(models.get(0), batch);
      return seconds(
          models,
          model -> {
            try (Mode mode = Autograd.inference()) {
              passes.forward(model, input, null);
            }
          });
    }
  }

  /** Seconds that the two models take for some work. */
  private static BeforeAfter seconds(List<Model> models, Consumer<Model> work) {
    List<Runnable> pieces = new ArrayList<>();
    for (Model model : models) {
      pieces.add(() -> work.accept(model));
    }
    InterleavedTimer.measure(pieces, 0, 1); // in advance, because kernels prepare themselves
    Timings timings = InterleavedTimer.measureFor(pieces, FEWEST, MOST, ENOUGH_SECONDS);
    List<Double> seconds = timings.medians();
    Timings.Statistics ratio = timings.ratio(1, 0);
    return new BeforeAfter(
        seconds.get(0), seconds.get(1), ratio.median(), ratio.low(), ratio.high());
  }

  /** Both numbers raised to a power, times a factor. */
  private BeforeAfter map(double factor, int power) {
    double least = Math.pow(low, power);
    double most = Math.pow(high, power);
    return new BeforeAfter(
        factor * Math.pow(before, power),
        factor * Math.pow(after, power),
        Math.pow(ratio, power),
        Math.min(least, most),
        Math.max(least, most));
  }

  private String shownRatio() {
    String shown = String.format(Locale.ROOT, "%.3f", ratio);
    return low == high ? shown : String.format(Locale.ROOT, "%s (%.2f-%.2f)", shown, low, high);
  }

  /** All numbers and their ratios in lines, with the quartiles of what was measured in turns. */
  static String table(Map<String, BeforeAfter> rows) {
    List<List<String>> cells = new ArrayList<>();
    cells.add(List.of("", "before", "after", "ratio"));
    rows.forEach(
        (name, row) ->
            cells.add(
                List.of(
                    name,
                    Printer.number(row.before),
                    Printer.number(row.after),
                    row.shownRatio())));
    return Printer.aligned(cells, List.of(false, true, true, true));
  }
}
