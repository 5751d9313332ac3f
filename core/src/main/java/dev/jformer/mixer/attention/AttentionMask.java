package dev.jformer.mixer.attention;

import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * Which queries may see which keys, and what is added to their logits.
 *
 * @param start number of tokens before the first query; keys start at token 0
 * @param causal whether a query sees keys up to its own position only
 * @param paddingMask bool [B, S], false where a key is padding; null if there is none
 * @param position the position encoding, whose bias is added to the logits
 */
public record AttentionMask(long start, boolean causal, Tensor paddingMask, Position position) {
  /** Bias of the position encoding: [H, queries, keys], or null. */
  Tensor bias(long queries, long keys) {
    return position.sharedBias(start, queries, keys, causal);
  }

  /** As {@link #bias}, with -∞ where a key follows a causal query: [H, queries, keys], or null. */
  Tensor ordered(long queries, long keys) {
    return position.sharedMask(start, queries, keys, causal);
  }

  /** True where a query may see a key: bool, broadcasts to [B, H, queries, keys]; null if all. */
  Tensor allowed(long queries, long keys) {
    Tensor allowed = causal ? Tensor.ones(queries, keys).tril(start).gt(0) : null;
    if (paddingMask == null) {
      return allowed;
    }
    return allowed == null ? kept() : allowed.and(kept());
  }

  private Tensor kept() {
    return paddingMask.unsqueeze(1).unsqueeze(1);
  }

  /**
   * Both in one, as the fused kernel takes it: added to the logits, or bool with true where
   * allowed; null if every query sees every key.
   */
  Tensor mask(long queries, long keys) {
    Tensor bias = ordered(queries, keys);
    if (bias == null) {
      return allowed(queries, keys);
    }
    Tensor all = bias.unsqueeze(0);
    return paddingMask == null ? all : all.maskedFill(kept().not(), Double.NEGATIVE_INFINITY);
  }
}
