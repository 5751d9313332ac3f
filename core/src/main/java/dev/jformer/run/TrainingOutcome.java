package dev.jformer.run;

import dev.jformer.metrics.Metrics;
import java.util.List;

/**
 * What came of a training.
 *
 * @param ending why it ended
 * @param failure what went wrong if it diverged; null otherwise
 * @param steps updates done, those before a resumption included
 * @param last the latest metrics on held-out data; null if there was no evaluation
 * @param best those with the best primary metric; null if there was no evaluation
 * @param bestStep after which update that was
 * @param losses training losses, averaged over short stretches
 * @param evaluations metrics on held-out data
 * @param seconds of training, evaluations left out
 * @param unitsPerStep units of an update, on average
 * @param unitsPerSecond throughput of training, in tokens, images or the like
 * @param parameters number of weights
 * @param flopsPerUnit operations of matrix products per unit, forward and backward; NaN if they
 *     were not measured
 * @param peakBytes the most memory that training took beyond what the process held before; -1 if it
 *     was not measured
 */
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
    long peakBytes) {
  /** Why a training ended. */
  public enum Ending {
    /** All updates are done. */
    COMPLETED,
    /** The primary metric did not improve any more. */
    STOPPED_EARLY,
    /** It was asked to stop. */
    INTERRUPTED,
    /** The loss or the gradients ceased to be finite numbers. */
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

  /** Whether the loss ceased to be a number. */
  public boolean diverged() {
    return ending == Ending.DIVERGED;
  }

  TrainingOutcome withPeak(long bytes) {
    return new TrainingOutcome(
        ending,
        failure,
        steps,
        last,
        best,
        bestStep,
        losses,
        evaluations,
        seconds,
        unitsPerStep,
        unitsPerSecond,
        parameters,
        flopsPerUnit,
        bytes);
  }
}
