package dev.jformer.train;

/** Measures the speed of training, evaluations excluded. */
final class Clock {
  private static final double SMOOTHING = 0.9;

  private final int steps;
  private final double unitsPerStep;
  private final long start = System.nanoTime();
  private long mark = start;
  private double secondsPerStep;

  Clock(TrainingConfig training, long unitsPerBatch) {
    this.steps = training.steps();
    this.unitsPerStep = (double) unitsPerBatch * training.accumulate();
  }

  void stepped() {
    long now = System.nanoTime();
    double seconds = (now - mark) / 1e9;
    mark = now;
    secondsPerStep =
        secondsPerStep == 0 ? seconds : SMOOTHING * secondsPerStep + (1 - SMOOTHING) * seconds;
  }

  /** Restarts after work that is not an update, such as an evaluation or a checkpoint. */
  void proceed() {
    mark = System.nanoTime();
  }

  double seconds() {
    return (System.nanoTime() - start) / 1e9;
  }

  double unitsPerSecond() {
    return unitsPerStep / secondsPerStep;
  }

  double secondsLeft(long step) {
    return (steps - step) * secondsPerStep;
  }
}
