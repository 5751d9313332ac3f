package dev.jformer.studies.compare;

import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.trial.TrainingResult;
import java.util.List;

/**
 * What was measured of a variant.
 *
 * @param name the variant's
 * @param runs its trainings, one for each seed
 * @param inference how it runs
 */
public record Result(String name, List<TrainingResult> runs, Inference inference) {
  /** Loss on held-out data at the end over the seeds, in nats per token. */
  public Estimate losses() {
    return Estimate.ofSeeds(runs.stream().map(TrainingResult::finalLoss).toList());
  }

  /** Mean loss on held-out data at the end, in nats per token. */
  public double loss() {
    return TrainingResult.loss(runs);
  }

  /** Standard deviation of the final losses over the seeds; 0 for one. */
  public double spread() {
    return TrainingResult.spread(runs);
  }

  /** Mean throughput of training. */
  public double trainingTokens() {
    return mean(TrainingResult::unitsPerSecond);
  }

  /** Peak memory of training in bytes; -1 if unknown. */
  public double peakBytes() {
    return runs.stream().mapToDouble(TrainingResult::peakBytes).max().orElse(-1);
  }

  /** Number of weights. */
  public long parameters() {
    return runs.get(0).parameters();
  }

  /** Operations of matrix products per token, forward and backward. */
  public double flops() {
    return runs.get(0).flopsPerUnit();
  }

  private double mean(java.util.function.ToDoubleFunction<TrainingResult> value) {
    return runs.stream().mapToDouble(value).average().orElse(Double.NaN);
  }
}
