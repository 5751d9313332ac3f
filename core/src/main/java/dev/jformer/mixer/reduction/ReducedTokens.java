package dev.jformer.mixer.reduction;

import dev.jformer.tensor.Tensor;
import java.util.function.BinaryOperator;

/**
 * What a token mixer gives, and which tokens stay.
 *
 * @param mixture [B, T, D], for all tokens; where tokens are dropped, [B, T', D] for those that
 *     stay
 * @param stay int64 [B, T'], which tokens stay, rising; null if all do
 * @param into int64 [B, T], in which of the T' places each token goes; null if those that do not
 *     stay are dropped
 * @param paddingMask bool [B, T'], false where a place is padding; null if none is
 * @param sizes [B, T], of how many tokens each of the T is the mean; null if each is one
 */
public record ReducedTokens(
    Tensor mixture, Tensor stay, Tensor into, Tensor paddingMask, Tensor sizes) {
  /**
   * What is left of tokens.
   *
   * @param x [B, T, D], as they were before
   * @param sum adds a mixture to as many tokens
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
