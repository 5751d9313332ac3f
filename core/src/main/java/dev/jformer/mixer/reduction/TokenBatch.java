package dev.jformer.mixer.reduction;

import dev.jformer.tensor.Tensor;

/**
 * A batch of tokens between the blocks of a model that may reduce their number.
 *
 * @param x [B, T, D]
 * @param paddingMask bool [B, T], false where a token is padding; null if there is none
 * @param sizes [B, T], number of original tokens that each is the mean of; null if all are 1
 */
public record TokenBatch(Tensor x, Tensor paddingMask, Tensor sizes) {
  /** The mean of each sequence's tokens without padding, weighted by sizes: [B, D]. */
  public Tensor mean() {
    if (paddingMask == null && sizes == null) {
      return x.mean(1, false);
    }
    Tensor weights = paddingMask == null ? sizes : paddingMask.to(x.dtype());
    if (paddingMask != null && sizes != null) {
      weights = weights.mul(sizes);
    }
    Tensor sum = x.mul(weights.unsqueeze(2)).sum(1, false);
    Tensor count = weights.sum(1, true);
    return sum.div(sizes == null ? count.clamp(1, Double.POSITIVE_INFINITY) : count);
  }
}
