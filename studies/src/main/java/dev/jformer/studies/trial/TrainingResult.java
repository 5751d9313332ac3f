package dev.jformer.studies.trial;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.jformer.studies.Measured;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Traces.Trace;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The result of training a model.
 *
 * @param training losses of batches, averaged over intervals
 * @param validation losses on held-out data
 * @param finalLoss the last loss on held-out data; infinite if the training diverged
 * @param steps number of updates
 * @param seconds of training, without evaluations
 * @param unitsPerSecond throughput of training, for example in tokens
 * @param parameters number of weights
 * @param peakBytes peak memory of the training, less the memory in use before it; -1 if unknown
 * @param flopsPerUnit operations of matrix products per token, forward and backward
 * @param diverged whether the loss became NaN or infinite
 * @param metrics other metrics of the trained model by name: accuracy, BLEU, mse
 * @param traces metrics that modules reported during the training; empty if they were not recorded
 */
@RecordBuilder
public record TrainingResult(
    List<Point> training,
    List<Point> validation,
    double finalLoss,
    long steps,
    double seconds,
    double unitsPerSecond,
    long parameters,
    long peakBytes,
    double flopsPerUnit,
    boolean diverged,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, Double> metrics,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Trace> traces)
    implements TrainingResultBuilder.With {
  /** Replaces missing metrics and traces, as in files of earlier versions, by none. */
  public TrainingResult {
    metrics = metrics == null ? Map.of() : new TreeMap<>(metrics);
    traces = traces == null ? List.of() : List.copyOf(traces);
  }

  /** Creates a result without metrics other than the loss. */
  public TrainingResult(
      List<Point> training,
      List<Point> validation,
      double finalLoss,
      long steps,
      double seconds,
      double unitsPerSecond,
      long parameters,
      long peakBytes,
      double flopsPerUnit,
      boolean diverged) {
    this(
        training,
        validation,
        finalLoss,
        steps,
        seconds,
        unitsPerSecond,
        parameters,
        peakBytes,
        flopsPerUnit,
        diverged,
        Map.of(),
        List.of());
  }

  /**
   * Creates a result without throughput, memory and operations.
   *
   * @param course losses and seconds of the training
   * @param steps number of updates
   */
  public static TrainingResult of(
      TrainingCurve course, long steps, long parameters, Map<String, Double> metrics) {
    List<Point> points = new ArrayList<>();
    int count = course.losses().size();
    for (int i = 1; i <= count; i++) {
      long step = steps * i / count;
      points.add(new Point(step, course.seconds() * i / count, course.losses().get(i - 1)));
    }
    return new TrainingResult(
        List.of(),
        points,
        course.last(),
        steps,
        course.seconds(),
        Double.NaN,
        parameters,
        -1,
        Double.NaN,
        false,
        metrics,
        List.of());
  }

  /** Returns this result with one more metric. */
  public TrainingResult with(String metric, double value) {
    Map<String, Double> all = new TreeMap<>(metrics);
    all.put(metric, value);
    return withMetrics(all);
  }

  /**
   * Returns a metric of the trained model.
   *
   * @throws IllegalArgumentException if it was not measured
   */
  public double metric(String name) {
    Double value = metrics.get(name);
    if (value == null) {
      throw new IllegalArgumentException(
          "the metric '" + name + "' was not measured: expected one of " + metrics.keySet());
    }
    return value;
  }

  /**
   * Returns what modules reported under a name during the training.
   *
   * @throws IllegalArgumentException if they did not
   */
  public Trace trace(String name) {
    return traces.stream()
        .filter(trace -> trace.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "'"
                        + name
                        + "' was not reported: expected one of "
                        + traces.stream().map(Trace::name).toList()));
  }

  /** The metric {@code accuracy} in percent. */
  public double percentRight() {
    return 100 * metric("accuracy");
  }

  /**
   * A measured loss.
   *
   * @param step number of updates so far
   * @param seconds of training so far
   * @param loss in nats
   */
  public record Point(long step, double seconds, double loss) {}

  /** Returns the lowest loss on held-out data; infinite if there is none. */
  public double bestLoss() {
    return validation.stream()
        .mapToDouble(Point::loss)
        .filter(Double::isFinite)
        .min()
        .orElse(Double.POSITIVE_INFINITY);
  }

  /**
   * Returns the number of updates until the held-out loss first reached {@code loss}, interpolated
   * between evaluations; NaN if it never did.
   */
  public double stepsTo(double loss) {
    return reach(loss, Point::step);
  }

  /** As {@link #stepsTo}, in seconds of training. */
  public double secondsTo(double loss) {
    return reach(loss, Point::seconds);
  }

  private double reach(double loss, java.util.function.ToDoubleFunction<Point> measure) {
    Point before = null;
    for (Point point : validation) {
      if (point.loss() <= loss) {
        double here = measure.applyAsDouble(point);
        if (before == null || !(before.loss() > point.loss())) {
          return here;
        }
        double share = (before.loss() - loss) / (before.loss() - point.loss());
        double there = measure.applyAsDouble(before);
        return there + share * (here - there);
      }
      before = point;
    }
    return Double.NaN;
  }

  /** Returns the mean of the final losses of several runs. */
  public static double loss(List<TrainingResult> runs) {
    return Seeds.mean(runs, TrainingResult::finalLoss);
  }

  /** Returns the standard deviation of the final losses of several runs; 0 for one. */
  public static double spread(List<TrainingResult> runs) {
    return Seeds.spread(runs, TrainingResult::finalLoss);
  }

  /**
   * Returns a figure with the losses on held-out data of each arm's first seed.
   *
   * @param unit of the loss
   */
  public static Figure figure(Measured<TrainingResult> runs, String title, String unit) {
    return runs.figure(title, "updates", unit, TrainingResult::curve);
  }

  /** Returns the losses on held-out data by updates as a curve. */
  public Figure.Series curve(String name) {
    return Figure.Series.line(
        name,
        validation.stream().map(point -> (double) point.step()).toList(),
        validation.stream().map(Point::loss).toList());
  }
}
