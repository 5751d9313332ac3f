package dev.jformer.train;

import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * The settings of a training.
 *
 * @param steps number of updates of the weights
 * @param batch sequences in one pass
 * @param accumulate passes whose gradients are averaged for one update, each counting by its number
 *     of predictions
 * @param learningRate the peak learning rate
 * @param schedule the schedule of the learning rate
 * @param optimizer the optimizer and its settings
 * @param clip the largest common norm of the gradients; 0 for no limit
 * @param precision the precision of matrix products
 * @param recompute whether blocks are computed again in the backward pass instead of keeping their
 *     activations, which takes less memory and more time
 * @param ema decay of an exponential moving average of the weights, which is then evaluated and
 *     saved in their place; 0 for none
 * @param evaluateEvery steps between evaluations
 * @param checkpointEvery steps between checkpoints
 * @param patience evaluations without a better loss after which training stops early; 0 for never
 * @param seed the seed of all random draws
 */
@RecordBuilder
public record TrainingConfig(
    int steps,
    int batch,
    int accumulate,
    double learningRate,
    Schedule schedule,
    Optimizer.Config optimizer,
    double clip,
    Precision precision,
    boolean recompute,
    double ema,
    int evaluateEvery,
    int checkpointEvery,
    int patience,
    long seed)
    implements TrainingConfigBuilder.With {
  /** The precision of matrix products. */
  public enum Precision {
    /**
     * {@link #BFLOAT16} on processors that are known to have instructions for it, otherwise {@link
     * #FLOAT32}.
     */
    AUTO,
    /** Single precision throughout. */
    FLOAT32,
    /** Products with weights in bfloat16, everything else in float32. */
    BFLOAT16
  }

  /** Defaults for a small language model. */
  public TrainingConfig() {
    this(
        1000,
        16,
        1,
        1e-3,
        new Schedule(),
        new AdamW.Config(),
        1,
        Precision.FLOAT32,
        false,
        0,
        250,
        250,
        0,
        1);
  }

  /** Checks the values. */
  public TrainingConfig {
    Checks.atLeast("steps", steps, 1);
    Checks.atLeast("batch", batch, 1);
    Checks.atLeast("accumulate", accumulate, 1);
    Checks.atLeast("evaluateEvery", evaluateEvery, 1);
    Checks.atLeast("checkpointEvery", checkpointEvery, 1);
    Checks.moreThan("learningRate", learningRate, 0);
    Checks.notNull("schedule", schedule);
    Checks.notNull("optimizer", optimizer);
    Checks.atLeast("clip", clip, 0);
    Checks.notNull("precision", precision);
    Checks.check(ema >= 0 && ema < 1, "ema", ema, "a decay in [0, 1)");
    Checks.atLeast("patience", patience, 0);
  }

  /**
   * Returns these settings for another number of steps, with {@code times} evaluations and
   * checkpoints in total.
   */
  public TrainingConfig withSteps(int newSteps, int times) {
    int every = Math.max(1, newSteps / times);
    return with(t -> t.steps(newSteps).evaluateEvery(every).checkpointEvery(every));
  }
}
