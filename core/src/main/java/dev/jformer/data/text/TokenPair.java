package dev.jformer.data.text;

import dev.jformer.data.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A text and its translation as token ids, each ending in the id that ends a text.
 *
 * @param source at least one id
 * @param target at least one id
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record TokenPair(int[] source, int[] target) {
  /**
   * Encodes pairs of texts.
   *
   * @param end the id that ends a text
   * @param longest the most tokens of a text, including its end; longer texts are cut off
   */
  public static List<TokenPair> of(ParallelTexts texts, Tokenizer tokenizer, int end, int longest) {
    List<TokenPair> pairs = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      pairs.add(
          new TokenPair(
              ended(tokenizer.encode(texts.source().get(i)), end, longest),
              ended(tokenizer.encode(texts.target().get(i)), end, longest)));
    }
    return pairs;
  }

  /** Appends the end to a text, cutting it off so that it has at most {@code longest} tokens. */
  public static int[] ended(int[] ids, int end, int longest) {
    int[] whole = Arrays.copyOf(ids, Math.min(ids.length + 1, longest));
    whole[whole.length - 1] = end;
    return whole;
  }

  /** The number of tokens of the longer of the two texts. */
  int longer() {
    return Math.max(source.length, target.length);
  }
}
