package dev.jformer.mixer.sparse;

import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Softmax attention in which a query sees only keys at some positions. A subclass defines which,
 * and how to compute them without the others.
 */
abstract class SparseAttention extends Attention {
  /** Creates the layers of {@link Attention}. */
  SparseAttention(int heads, int groups, BlockContext context, Position position) {
    super(heads, groups, context, position);
    refuseBias();
  }

  /**
   * The mask of keys that a query sees.
   *
   * @param start number of tokens before the first query; keys start at token 0
   * @return bool [queries, keys], causality included
   */
  abstract Tensor pattern(long start, long queries, long keys);

  /**
   * Computes attention for whole sequences.
   *
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   * @return [B, H, T, d]
   */
  abstract Tensor whole(Heads heads, Tensor paddingMask);

  @Override
  protected final Tensor attend(Heads h, AttentionMask mask) {
    long queries = h.query().size(2);
    if (mask.start() == 0 && queries == h.key().size(2)) {
      return whole(h, mask.paddingMask());
    }
    Tensor allowed = allowed(mask, queries, h.key().size(2));
    return Functional.attention(h.query(), h.key(), h.value(), allowed, false, null);
  }

  private Tensor allowed(AttentionMask mask, long queries, long keys) {
    Tensor pattern = pattern(mask.start(), queries, keys);
    return mask.paddingMask() == null
        ? pattern
        : pattern.and(mask.paddingMask().unsqueeze(1).unsqueeze(1));
  }

  @Override
  protected final Tensor weights(Heads h, AttentionMask mask) {
    Tensor allowed = allowed(mask, h.query().size(2), h.key().size(2));
    Tensor logits = logits(h, mask).maskedFill(allowed.not(), Double.NEGATIVE_INFINITY);
    return Functional.safeSoftmax(logits, -1);
  }
}
