package dev.jformer.run;

import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.train.Objective;
import dev.jformer.train.TrainingConfig;

/**
 * All that decides a run: what is trained, on what, and how.
 *
 * @param model the model
 * @param data what it learns from
 * @param training steps, rates and the like
 * @param from the folder of a model that was trained before, whose shape and weights this one
 *     begins with; empty to begin from nothing
 * @param objective what is made small
 */
public record Recipe(
    Model.Config model,
    DataConfig data,
    TrainingConfig training,
    String from,
    Objective objective) {
  /** With the task's own loss. */
  public Recipe(Model.Config model, DataConfig data, TrainingConfig training, String from) {
    this(model, data, training, from, new Objective.Plain());
  }

  /** Checks that there is an objective. */
  public Recipe {
    if (objective == null) {
      throw new IllegalArgumentException("objective must not be null");
    }
  }

  /** From nothing. */
  public Recipe(Model.Config model, DataConfig data, TrainingConfig training) {
    this(model, data, training, "");
  }

  /** A small model, bytes, and settings that suit both. */
  public Recipe() {
    this(new CausalLm.Config(), new TextData(), new TrainingConfig());
  }
}
