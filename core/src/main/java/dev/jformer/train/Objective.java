package dev.jformer.train;

import com.google.auto.service.AutoService;
import dev.jformer.config.Part;
import dev.jformer.model.Model;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The objective that training minimises: the loss of a task, or a technique's replacement for it.
 */
public interface Objective extends Part {
  /**
   * Wraps a task so that this objective replaces its training loss. Evaluation stays the same,
   * unless the objective says otherwise.
   *
   * @throws IllegalArgumentException if it does not suit the task
   */
  Task of(Task task);

  /**
   * Wraps a task so that this objective, which may use other models, replaces its training loss.
   *
   * @throws IllegalArgumentException if it does not suit the task
   */
  default Task of(Task task, ModelLoader models) {
    return of(task);
  }

  /** The folder of a trained model that predicts the same classes; empty if there is none. */
  default Optional<Path> teacherFolder() {
    return Optional.empty();
  }

  /** Gives trained models to an objective. */
  interface ModelLoader {
    /**
     * Loads the objective's teacher in inference mode. It is released after the training.
     *
     * @throws IllegalArgumentException if it does not predict what the trained model predicts
     */
    Teacher teacher();

    /** Copies a model as it is now, in inference mode. It is released after the training. */
    Model copy(Model model);
  }

  /**
   * A loaded teacher.
   *
   * @param classes number of classes or tokens that both models have, the first of each; further
   *     ones are rows to spare
   */
  record Teacher(Model model, int classes) {}

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
