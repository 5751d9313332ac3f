package dev.jformer.train;

import com.google.auto.service.AutoService;
import dev.jformer.config.Part;

/**
 * The objective that training minimises: the loss of a task, or a technique's replacement for it.
 */
public interface Objective extends Part {
  /**
   * Wraps a task so that this objective replaces its training loss. Evaluation stays the same.
   *
   * @throws IllegalArgumentException if it does not suit the task
   */
  Task of(Task task);

  /** The task's own loss. */
  @AutoService(Objective.class)
  record Plain() implements Objective {
    @Override
    public String type() {
      return "plain";
    }

    @Override
    public Task of(Task task) {
      return task;
    }
  }
}
