package dev.jformer.run;

import dev.jformer.train.Listener;
import java.util.ArrayList;
import java.util.List;

/** Collects the losses of a run, and stops it after a step. */
final class Losses implements Progress {
  final List<Double> all = new ArrayList<>();
  private final long until;

  /** The run that is stopped. */
  Run run;

  /**
   * Creates a collector.
   *
   * @param until the step to stop after; -1 for none
   */
  Losses(long until) {
    this.until = until;
  }

  @Override
  public void step(Listener.Step step) {
    all.add(step.loss());
    if (step.step() == until) {
      run.stop();
    }
  }
}
