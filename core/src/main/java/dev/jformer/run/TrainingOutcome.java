package dev.jformer.run;

import dev.jformer.metrics.Metrics;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/**
 * The outcome of a training.
 *
 * @param ending why it ended
 * @param failure the error message if it diverged; null otherwise
 * @param steps updates done, those before a resumption included
 * @param last the latest metrics on held-out data; null if there was no evaluation
 * @param best the metrics with the best primary metric; null if there was no evaluation
 * @param bestStep the number of updates before the best evaluation
 * @param losses training losses, averaged over short intervals
 * @param evaluations metrics on held-out data
 * @param seconds time of training, evaluations excluded
 * @param unitsPerStep average number of units in an update
 * @param unitsPerSecond throughput of training, in tokens, images or the like
 * @param parameters number of weights
 * @param flopsPerUnit operations of matrix products per unit, forward and backward; NaN if they
 *     were not measured
 * @param peakBytes the most memory that training took beyond what the process held before; -1 if it
 *     was not measured
 */
@RecordBuilder
public record TrainingOutcome(
    Ending ending,
    String failure,
    long steps,
    Metrics last,
    Metrics best,
    long bestStep,
    List<Loss> losses,
    List<Measurement> evaluations,
    double seconds,
    double unitsPerStep,
    double unitsPerSecond,
    long parameters,
    double flopsPerUnit,
    long peakBytes)
    implements TrainingOutcomeBuilder.With {
  /** Why a training ended. */
  public enum Ending {
    /** All updates are done. */
    COMPLETED,
    /** The primary metric stopped improving. */
    STOPPED_EARLY,
    /** The training was stopped by a caller. */
    INTERRUPTED,
    /** The loss or the gradients are not finite. */
    DIVERGED
  }

  /**
   * A training loss.
   *
   * @param step after which update
   * @param seconds of training until then
   * @param value mean over the updates since the one before
   */
  public record Loss(long step, double seconds, double value) {}

  /**
   * An evaluation.
   *
   * @param step after which update
   * @param seconds of training until then
   * @param metrics on held-out data
   */
  public record Measurement(long step, double seconds, Metrics metrics) {}

  /** Whether the training did not come to its end: it diverged or was interrupted. */
  boolean isCutOff() {
    return ending == Ending.DIVERGED || ending == Ending.INTERRUPTED;
  }

  /** Whether the training diverged. */
  public boolean diverged() {
    return ending == Ending.DIVERGED;
  }
}
