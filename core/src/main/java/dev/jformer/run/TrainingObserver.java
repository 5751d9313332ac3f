package dev.jformer.run;

import dev.jformer.model.Model;
import dev.jformer.train.Listener;
import dev.jformer.train.Task;

/**
 * Observes a model during training. In {@link #evaluation} the model has the weights that were
 * evaluated, is in inference mode and records no gradients.
 */
public interface TrainingObserver extends Listener {
  /**
   * Called before the first update.
   *
   * @param step number of updates done before, if the training is resumed
   */
  default void begun(Model model, Task task, long step) {}

  /** Gives the observer of the pretraining, which comes before {@link #begun}, if there is one. */
  default TrainingObserver ofPretraining() {
    return new TrainingObserver() {};
  }

  /** Called after the last update, before the model is released. */
  default void ended(Model model, TrainingOutcome outcome) {}
}
