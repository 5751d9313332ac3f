package dev.jformer.app;

import dev.jformer.data.Tokenizer;
import dev.jformer.model.CausalLm;

/** How a model in training goes on from a text, to watch it learn. */
final class Sample {
  private Sample() {}

  static String of(CausalLm model, Tokenizer tokenizer, String prompt) {
    return prompt;
  }
}
