package dev.jformer.studies.compare;

import dev.jformer.studies.trial.Learned;
import java.util.List;

/**
 * What was measured of a variant.
 *
 * @param name the variant's
 * @param runs its trainings, one for each seed
 * @param inference how it runs
 */
public record Result(String name, List<Learned> runs, Inference inference) {
  /** Mean loss on held-out data at the end, in nats per token. */
  public double loss() {
    return Learned.loss(runs);
  }

  /** Standard deviation of the final losses over the seeds; 0 for one. */
  public double spread() {
    return Learned.spread(runs);
  }

  /** Mean throughput of training. */
  public double trainingTokens() {
    return mean(Learned::unitsPerSecond);
  }

  /** Peak memory of training in bytes; -1 if unknown. */
  public double peakBytes() {
    return runs.stream().mapToDouble(Learned::peakBytes).max().orElse(-1);
  }

  /** Number of weights. */
  public long parameters() {
    return runs.get(0).parameters();
  }

  /** Operations of matrix products per token, forward and backward. */
  public double flops() {
    return runs.get(0).flopsPerUnit();
  }

  private double mean(java.util.function.ToDoubleFunction<Learned> value) {
    return runs.stream().mapToDouble(value).average().orElse(Double.NaN);
  }
}
