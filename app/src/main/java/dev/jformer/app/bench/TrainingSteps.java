package dev.jformer.app.bench;

import dev.jformer.model.Model;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;

/** Training steps of one of our models, as the trainer does them; the time is that of one step. */
abstract class TrainingSteps implements Workload {
  private final String name;
  private final Model model;
  private final AdamW optimizer;
  private final int steps;

  /**
   * Steps of a model, which belongs to this then.
   *
   * @param steps in a run
   */
  TrainingSteps(String name, Model model, int steps) {
    this.name = name;
    this.model = model;
    this.optimizer = new AdamW(model, new AdamW.Config());
    this.steps = steps;
  }

  /** Computes the loss of a step. */
  abstract Tensor loss();

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final double run() {
    long start = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      model.clearGrads();
      try (Scope scope = Scope.open()) {
        Tensor loss = loss();
        loss.backward();
        loss.item();
      }
      optimizer.clipGradients(1);
      optimizer.step(1e-3);
    }
    return (System.nanoTime() - start) / 1e6 / steps;
  }

  @Override
  public void close() {
    optimizer.close();
    model.close();
  }
}
