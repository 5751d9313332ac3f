package dev.jformer.studies.compare;

import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.evidence.Estimate;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/**
 * The measurements of a variant.
 *
 * @param name of the variant
 * @param runs one for each seed
 * @param speed of training, in units a second: the median of rounds in which all variants take
 *     turns
 * @param inference speed of its model
 */
public record Result(String name, List<Run> runs, Estimate speed, Inference inference) {
  /**
   * The measurements of one seed.
   *
   * @param training of the model
   * @param metrics on held-out data at the end, after compression; null if the training diverged
   * @param parameters number of weights
   * @param bytes of the weights on disk
   */
  public record Run(TrainingOutcome training, Metrics metrics, long parameters, long bytes) {}

  /**
   * Returns the metric that quality is judged by; null if every training diverged before it was
   * measured.
   */
  public Metric primary() {
    return runs.stream()
        .map(Run::metrics)
        .filter(Objects::nonNull)
        .findFirst()
        .map(Metrics::primary)
        .orElse(null);
  }

  /** Returns a held-out metric as an estimate over the seeds; NaN if it was not measured. */
  public Estimate metric(String metric) {
    return over(
        run ->
            run.metrics() == null
                ? Double.NaN
                : run.metrics().find(metric).map(Metric::value).orElse(Double.NaN));
  }

  /**
   * Returns the primary metric over the seeds as a cost, of which lower is better; infinite if a
   * training diverged.
   */
  public Estimate cost() {
    return over(
        run -> {
          if (run.metrics() == null || run.training().diverged()) {
            return Double.POSITIVE_INFINITY;
          }
          Metric primary = run.metrics().primary();
          return primary.higherIsBetter() ? -primary.value() : primary.value();
        });
  }

  private Estimate over(ToDoubleFunction<Run> value) {
    return Estimate.ofSeeds(runs.stream().map(value::applyAsDouble).toList());
  }

  /** Throughput of training, in units a second. */
  public double trainingSpeed() {
    return speed.value();
  }

  /** Peak memory of training in bytes; -1 if unknown. */
  public double peakBytes() {
    return runs.stream().mapToDouble(run -> run.training().peakBytes()).max().orElse(-1);
  }

  /** Number of weights. */
  public long parameters() {
    return runs.get(0).parameters();
  }

  /** Bytes of the weights on disk. */
  public long bytes() {
    return runs.get(0).bytes();
  }

  /** Floating-point operations of matrix products for a unit of training, forward and backward. */
  public double flops() {
    return runs.get(0).training().flopsPerUnit();
  }

  /** Whether a training diverged. */
  public boolean diverged() {
    return runs.stream().anyMatch(run -> run.training().diverged());
  }
}
