package dev.jformer.data.text;

import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * A batch of texts and their translations, padded to the longest.
 *
 * @param source int64 [B, S]
 * @param paddingMask bool [B, S], false at padding; null if there is none
 * @param inputs int64 [B, T], the decoder's inputs: the id that ends a text, then the translation
 *     without its own end
 * @param places int64 [M], indices of those of the B T inputs that are not padding
 * @param targets int64 [M], the token after each of these
 */
public record PairBatch(
    Tensor source, Tensor paddingMask, Tensor inputs, Tensor places, Tensor targets) {
  /** Pads pairs to one length. */
  public static PairBatch of(List<TokenPair> pairs) {
    TextBatch source = TextBatch.of(pairs.stream().map(TokenPair::source).toList(), 0);
    int longest = pairs.stream().mapToInt(pair -> pair.target().length).max().orElseThrow();
    long[] inputs = new long[pairs.size() * longest];
    List<Long> places = new ArrayList<>();
    List<Long> targets = new ArrayList<>();
    for (int i = 0; i < pairs.size(); i++) {
      int[] target = pairs.get(i).target();
      int previous = target[target.length - 1];
      for (int t = 0; t < target.length; t++) {
        inputs[i * longest + t] = previous;
        places.add((long) i * longest + t);
        targets.add((long) target[t]);
        previous = target[t];
      }
    }
    return new PairBatch(
        source.ids(),
        source.paddingMask(),
        Tensor.of(inputs, pairs.size(), longest),
        Tensor.of(places.stream().mapToLong(i -> i).toArray()),
        Tensor.of(targets.stream().mapToLong(i -> i).toArray()));
  }

  /** The number M of tokens to predict. */
  public long tokens() {
    return targets.elements();
  }
}
