package dev.jformer.mixer.reduction;

import dev.jformer.tensor.Tensor;
import java.util.function.BinaryOperator;

/**
 * The output of a token mixer, and which tokens stay.
 *
 * @param mixture [B, T, D], for all tokens; where tokens are dropped, [B, T', D] for those that
 *     stay
 * @param stay int64 [B, T'], indices of the tokens that stay, in rising order; null if all do
 * @param into int64 [B, T], which of the T' tokens each is merged into; null if tokens are dropped
 * @param paddingMask bool [B, T'], false at padding; null if there is none
 * @param sizes [B, T], number of original tokens that each of the T is the mean of; null if all are
 *     1
 */
public record ReducedTokens(
    Tensor mixture, Tensor stay, Tensor into, Tensor paddingMask, Tensor sizes) {
  /**
   * Reduces the tokens.
   *
   * @param x [B, T, D], the tokens before the block
   * @param sum adds a mixture to the same number of tokens
   */
  public TokenBatch join(Tensor x, BinaryOperator<Tensor> sum) {
    if (stay == null) {
      return new TokenBatch(sum.apply(x, mixture), paddingMask, sizes);
    }
    if (into == null) {
      Tensor left = sum.apply(rows(x, stay), mixture);
      return new TokenBatch(left, paddingMask, sizes == null ? null : sizes.gather(1, stay));
    }
    return merged(sum.apply(x, mixture));
  }

  private TokenBatch merged(Tensor x) {
    long[] shape = {x.size(0), stay.size(1), x.size(2)};
    Tensor weights = sizes.to(x.dtype());
    Tensor total = Tensor.zeros(x.dtype(), shape[0], shape[1]).scatterAdd(1, into, weights);
    Tensor sums =
        Tensor.zeros(x.dtype(), shape)
            .scatterAdd(
                1, into.unsqueeze(2).expand(x.shape().toArray()), x.mul(weights.unsqueeze(2)));
    Tensor safe = total.clamp(1e-6, Double.POSITIVE_INFINITY);
    return new TokenBatch(sums.div(safe.unsqueeze(2)), paddingMask, total);
  }

  /** Some tokens [B, T'] of x [B, T, D], whole rows at a time. */
  static Tensor rows(Tensor x, Tensor tokens) {
    Tensor starts = Tensor.arange(0, x.size(0)).mul(x.size(1)).unsqueeze(1);
    Tensor places = tokens.add(starts).reshape(-1);
    return x.flatten(0, 1).indexSelect(0, places).unflatten(0, x.size(0), tokens.size(1));
  }
}
