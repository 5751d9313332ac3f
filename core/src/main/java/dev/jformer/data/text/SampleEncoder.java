package dev.jformer.data.text;

import dev.jformer.data.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Converts samples to tokens. A prompt is tokenized by itself, as it is when a model continues it,
 * and what follows it too. A token ends each text, so that the model learns to stop.
 *
 * @param end the token that ends a text; empty for none
 */
public record SampleEncoder(Tokenizer tokenizer, OptionalInt end) {
  /** The tokens of a sample that is not a preference. */
  public EncodedSample encode(Sample sample) {
    if (sample instanceof Sample.Text text) {
      int[] whole = ended(tokenizer.encodePrompt(text.text()));
      return EncodedSample.of(new int[0], whole);
    }
    if (sample instanceof Sample.Completion pair) {
      return answered(pair.prompt(), pair.completion());
    }
    throw new IllegalArgumentException(
        "a preference has two answers: expected a text, or a prompt with a completion");
  }

  /** The tokens of a prompt with an answer, which is learned. */
  public EncodedSample answered(String prompt, String answer) {
    return EncodedSample.of(tokenizer.encodePrompt(prompt), ended(tokenizer.encode(answer)));
  }

  private int[] ended(int[] ids) {
    if (end.isEmpty()) {
      return ids;
    }
    int[] ended = Arrays.copyOf(ids, ids.length + 1);
    ended[ids.length] = end.getAsInt();
    return ended;
  }
}
