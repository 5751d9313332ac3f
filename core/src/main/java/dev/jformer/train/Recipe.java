package dev.jformer.train;

import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;

/**
 * All that decides a run: what is trained, on what, and how.
 *
 * @param model the model
 * @param data what it learns from
 * @param training steps, rates and the like
 */
public record Recipe(Model.Config model, Data data, Training training) {
  /** A small model, bytes, and settings that suit both. */
  public Recipe() {
    this(new CausalLm.Config(), new TextData(), new Training());
  }
}
