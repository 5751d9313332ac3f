package dev.jformer.train;

import dev.jformer.metrics.Metrics;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.Map;

/** Receives the events of a training, in the training thread. */
public interface Listener {
  /** Called after every update. */
  default void step(Step step) {}

  /** Called after every evaluation. */
  default void evaluation(Evaluation evaluation) {}

  /**
   * Called before a checkpoint is written. What the listener needs of the steps up to this one must
   * be on the disk when it returns: a resumed training does not repeat them.
   *
   * @param step the number of updates done
   */
  default void checkpoint(long step) {}

  /**
   * An update of the weights.
   *
   * @param step its number, from 1
   * @param steps total number of updates
   * @param loss training loss
   * @param learningRate the rate used
   * @param gradientNorm common norm of the gradients before clipping
   * @param unitsPerSecond throughput of the last few updates
   * @param seconds since this process began training
   * @param secondsLeft estimate of the remaining time, evaluations excluded
   * @param figures metrics that modules reported, by name; see {@link
   *     dev.jformer.nn.AuxiliaryLosses}
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
   * An evaluation.
   *
   * @param step the number of updates done
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
