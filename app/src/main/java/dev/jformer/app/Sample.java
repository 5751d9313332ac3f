package dev.jformer.app;

import dev.jformer.data.Tokenizer;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.model.CausalLm;
import java.util.List;

/** How a model in training goes on from a text, to watch it learn. */
final class Sample {
  private static final int TOKENS = 160;

  private Sample() {}

  static String of(CausalLm model, Tokenizer tokenizer, String prompt) {
    int[] ids = tokenizer.encode(prompt);
    int room = (int) Math.min(TOKENS, model.longest() - ids.length);
    Generator.Request request = new Generator.Request(Math.max(1, room), new Sampling());
    return prompt
        + new Generator(model)
            .generate(List.of(ids), request, tokenizer::decode, null)
            .get(0)
            .text();
  }
}
