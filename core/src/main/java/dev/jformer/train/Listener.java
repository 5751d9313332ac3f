package dev.jformer.train;

import dev.jformer.metrics.Metrics;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.Map;

/** Is told how training goes, in the training thread. */
public interface Listener {
  /** After every update. */
  default void step(Step step) {}

  /** After every evaluation. */
  default void evaluation(Evaluation evaluation) {}

  /**
   * One update.
   *
   * @param step its number, from 1
   * @param steps how many there will be
   * @param loss training loss
   * @param learningRate the rate used
   * @param gradientNorm common norm of the gradients before clipping
   * @param unitsPerSecond throughput of the last few updates
   * @param seconds since this process began to train
   * @param secondsLeft estimate of what remains, evaluations not counted
   * @param figures what modules had to say, by name; see {@link dev.jformer.nn.AuxiliaryLosses}
   */
  @RecordBuilder
  record Step(
      long step,
      long steps,
      double loss,
      double learningRate,
      double gradientNorm,
      double unitsPerSecond,
      double seconds,
      double secondsLeft,
      Map<String, Double> figures) {}

  /**
   * One evaluation.
   *
   * @param step after which update
   * @param metrics measured on held-out data
   * @param best the best value of the primary metric so far, this one included
   * @param seconds since this process began to train
   */
  record Evaluation(long step, Metrics metrics, double best, double seconds) {
    /** The value of the primary metric. */
    public double value() {
      return metrics.primary().value();
    }

    /** Whether no earlier value of the primary metric was better. */
    public boolean isBest() {
      return metrics.primary().isAtLeast(best);
    }
  }
}
