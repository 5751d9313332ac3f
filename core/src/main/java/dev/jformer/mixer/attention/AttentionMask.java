package dev.jformer.mixer.attention;

import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * A mask that says which queries may see which keys, and the bias of their logits. The queries are
 * tokens {@code start} … {@code start + queries - 1}, the keys tokens 0 … {@code keys - 1}; methods
 * take the numbers of both. A variant of attention uses {@link #mask} alone, or {@link #bias} and
 * {@link #allowed} together.
 *
 * @param start number of tokens before the first query; 0 for whole sequences
 * @param causal whether a query sees only keys up to its own position
 * @param paddingMask bool [B, S], false where a key is padding; null if none is
 * @param position the position encoding, whose bias is added to the logits
 * @param window a query sees only keys less than so many positions away; 0 for all
 */
public record AttentionMask(
    long start, boolean causal, Tensor paddingMask, Position position, long window) {
  /** A mask without a window. */
  public AttentionMask(long start, boolean causal, Tensor paddingMask, Position position) {
    this(start, causal, paddingMask, position, 0);
  }

  /** Whether the window keeps a query from a key that it would see otherwise. */
  public boolean isWindowed(long queries, long keys) {
    long farthest = Math.max(start + queries - 1, causal ? 0 : keys - 1 - start);
    return window > 0 && farthest >= window;
  }

  /**
   * The position encoding's bias. For masked pairs of a causal model it is finite but has no
   * meaning.
   *
   * @return [H, queries, keys]; null if nothing is added
   */
  public Tensor bias(long queries, long keys) {
    return position.sharedBias(start, queries, keys, causal);
  }

  /**
   * The position encoding's bias, with -∞ where a causal query may not see a key. It does not
   * include padding.
   *
   * @return [H, queries, keys]; null if the encoding adds nothing, also where queries are causal
   */
  public Tensor causalBias(long queries, long keys) {
    return position.sharedMask(start, queries, keys, causal);
  }

  /**
   * The mask of allowed pairs, by causality and padding.
   *
   * @return bool that broadcasts to [B, H, queries, keys], true where allowed; null if all are
   */
  public Tensor allowed(long queries, long keys) {
    Tensor allowed = causal ? Tensor.ones(queries, keys).tril(start).gt(0) : null;
    if (isWindowed(queries, keys)) {
      Tensor near = near(queries, keys);
      allowed = allowed == null ? near : allowed.and(near);
    }
    if (paddingMask == null) {
      return allowed;
    }
    return allowed == null ? notPadding() : allowed.and(notPadding());
  }

  /** The pairs within the window, bool [queries, keys]. */
  private Tensor near(long queries, long keys) {
    Tensor all = Tensor.ones(queries, keys);
    return all.tril(start + window - 1).triu(start - window + 1).gt(0);
  }

  private Tensor notPadding() {
    return paddingMask.unsqueeze(1).unsqueeze(1);
  }

  /**
   * Bias, causality and padding combined, as {@link dev.jformer.tensor.Functional#attention} takes
   * it.
   *
   * @return broadcasts to [B, H, queries, keys]: added to the logits where the encoding has a bias,
   *     otherwise bool, true where allowed; null if every query sees every key
   */
  public Tensor mask(long queries, long keys) {
    Tensor bias = causalBias(queries, keys);
    if (bias == null) {
      return allowed(queries, keys);
    }
    Tensor near =
        isWindowed(queries, keys)
            ? bias.maskedFill(near(queries, keys).not(), Double.NEGATIVE_INFINITY)
            : bias;
    Tensor all = near.unsqueeze(0);
    return paddingMask == null ? all : all.maskedFill(notPadding().not(), Double.NEGATIVE_INFINITY);
  }
}
