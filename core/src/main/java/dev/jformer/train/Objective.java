package dev.jformer.train;

import com.google.auto.service.AutoService;
import dev.jformer.config.Part;

/** What training makes small: the loss of a task, or what a technique puts in its place. */
public interface Objective extends Part {
  /**
   * The task with this objective in the place of its loss. What is evaluated stays the same.
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
