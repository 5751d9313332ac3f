package dev.jformer.train;

/**
 * How a model is trained.
 *
 * @param steps updates of the weights
 * @param batch sequences in one pass
 * @param accumulate passes whose gradients are added up for one update
 * @param learningRate the peak
 * @param schedule how the rate goes from step to step
 * @param optimizer AdamW's settings
 * @param clip the largest common norm of the gradients; 0 for no limit
 * @param precision of the matrix products
 * @param ema decay of an exponential moving average of the weights, which is then what is evaluated
 *     and saved; 0 for none
 * @param evaluateEvery steps between evaluations
 * @param checkpointEvery steps between checkpoints
 * @param patience evaluations without a better loss after which training stops early; 0 for never
 * @param seed of everything random
 */
public record TrainingConfig(
    int steps,
    int batch,
    int accumulate,
    double learningRate,
    Schedule schedule,
    AdamW.Config optimizer,
    double clip,
    Precision precision,
    double ema,
    int evaluateEvery,
    int checkpointEvery,
    int patience,
    long seed) {

  /** The type that matrix products are computed in. */
  public enum Precision {
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
        0,
        250,
        250,
        0,
        1);
  }

  /** Checks the values. */
  public TrainingConfig {
    positive("steps", steps);
    positive("batch", batch);
    positive("accumulate", accumulate);
    positive("evaluateEvery", evaluateEvery);
    positive("checkpointEvery", checkpointEvery);
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw new IllegalArgumentException(
          "learningRate is " + learningRate + ": expected more than 0");
    }
    if (!(clip >= 0) || patience < 0) {
      throw new IllegalArgumentException(
          "clip is " + clip + " and patience is " + patience + ": expected at least 0");
    }
    if (!(ema >= 0 && ema < 1)) {
      throw new IllegalArgumentException("ema is " + ema + ": expected a decay in [0, 1)");
    }
  }

  /** The same with another seed. */
  public TrainingConfig withSeed(long newSeed) {
    return new TrainingConfig(
        steps,
        batch,
        accumulate,
        learningRate,
        schedule,
        optimizer,
        clip,
        precision,
        ema,
        evaluateEvery,
        checkpointEvery,
        patience,
        newSeed);
  }

  /**
   * The same for another number of steps, evaluating and saving as often in proportion as {@code
   * times} says.
   */
  public TrainingConfig withSteps(int newSteps, int times) {
    int every = Math.max(1, newSteps / times);
    return new TrainingConfig(
        newSteps,
        batch,
        accumulate,
        learningRate,
        schedule,
        optimizer,
        clip,
        precision,
        ema,
        every,
        every,
        patience,
        seed);
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + ": expected at least 1");
    }
  }
}
