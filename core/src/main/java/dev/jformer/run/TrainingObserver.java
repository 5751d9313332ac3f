package dev.jformer.run;

import dev.jformer.model.Model;
import dev.jformer.train.Listener;
import dev.jformer.train.Task;

/**
 * Looks at a model while it is trained. What this does in {@link #evaluation} sees the weights that
 * were evaluated, in inference and with no gradients recorded.
 */
public interface TrainingObserver extends Listener {
  /**
   * Before the first update.
   *
   * @param step updates that were done before, if the training goes on
   */
  default void begun(Model model, Task task, long step) {}

  /** After the last update, before the model is released. */
  default void ended(Model model, TrainingOutcome outcome) {}
}
