package dev.jformer.mixer.reduction;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Token merging (ToMe, <a href="https://arxiv.org/abs/2210.09461">Token Merging: Your ViT But
 * Faster</a>): every other token is matched with the one of the rest whose key, in the mean of the
 * heads, is most similar; the most similar pairs are merged into their mean, weighted by the number
 * of tokens each represents. Attention then weights a token by that number.
 */
@AutoService(TokenReducer.class)
public record TokenMerging() implements TokenReducer {
  @Override
  public String type() {
    return "merging";
  }

  /** Just over half: only every other token can be merged into another, and the first cannot. */
  @Override
  public double least() {
    return 0.51;
  }

  @Override
  public AttentionRows attentionRows() {
    return AttentionRows.NONE;
  }

  @Override
  public Reduction reduce(ReductionInput input) {
    long length = input.length();
    Tensor key = input.key().mean(1, false);
    Tensor unit = key.div(key.square().sum(2, true).sqrt().clamp(1e-12, Float.MAX_VALUE));
    Tensor odd = Tensor.arange(0, length).remainder(2).eq(1L).unsqueeze(0); // the rest
    Tensor allowed = input.paddingMask() == null ? odd : odd.and(input.paddingMask());
    Tensor similarity = unit.matmul(unit.t()).maskedFill(allowed.not().unsqueeze(1), -2);
    Tensor into = similarity.argmax(2);
    Tensor scores = similarity.max(2, false).neg().maskedFill(odd, 4);
    return new Reduction(scores.to(DType.FLOAT32), into);
  }
}
