package dev.jformer.app.command;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.model.CausalLm;
import java.util.List;

/** How a model that learns goes on from a text. */
final class TextSample {
  private static final int TOKENS = 160;

  private final CausalLm model;
  private final Tokenizer tokenizer;
  private final String prompt;
  private final int[] ids;

  private TextSample(CausalLm model, Tokenizer tokenizer, String prompt, int[] ids) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.prompt = prompt;
    this.ids = ids;
  }

  /**
   * Samples from this text on.
   *
   * @throws CommandException if the text leaves the model no room
   */
  static TextSample of(CausalLm model, Tokenizer tokenizer, String prompt) {
    int[] ids = tokenizer.encode(prompt);
    if (ids.length == 0) {
      throw new CommandException("the text to sample from is empty: expected at least a character");
    }
    if (ids.length >= model.longest()) {
      throw new CommandException(
          "the text to sample from has "
              + ids.length
              + " tokens, but the model takes "
              + model.longest()
              + ": shorten it or raise model.length");
    }
    return new TextSample(model, tokenizer, prompt, ids);
  }

  /** The text and how it goes on, drawn at random. */
  String draw() {
    int room = (int) Math.min(TOKENS, model.longest() - ids.length);
    Generator.Request request = new Generator.Request(room, new Sampling());
    return prompt
        + new Generator(model)
            .generate(List.of(ids), request, tokenizer::decode, null)
            .get(0)
            .text();
  }
}
