package dev.jformer.mixer.reduction;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Token merging, as ToMe (arXiv 2210.09461): every other token is matched with the one of the rest
 * whose key, in the mean of the heads, is most like its own; the closest pairs become their mean,
 * weighted by how many tokens each stands for. Attention then counts a token as often.
 */
@AutoService(TokenReducer.class)
public record TokenMerging() implements TokenReducer {
  @Override
  public String type() {
    return "merging";
  }

  /** Fewer than half join another: every other token can, but the first. */
  @Override
  public double least() {
    return 0.51;
  }

  @Override
  public AttentionRows sight() {
    return AttentionRows.NONE;
  }

  @Override
  public Reduction judge(ReductionInput scene) {
    long length = scene.length();
    Tensor key = scene.key().mean(1, false);
    Tensor unit = key.div(key.square().sum(2, true).sqrt().clamp(1e-12, Float.MAX_VALUE));
    Tensor odd = Tensor.arange(0, length).remainder(2).eq(1L).unsqueeze(0); // the rest
    Tensor allowed = scene.paddingMask() == null ? odd : odd.and(scene.paddingMask());
    Tensor likeness = unit.matmul(unit.t()).maskedFill(allowed.not().unsqueeze(1), -2);
    Tensor into = likeness.argmax(2);
    Tensor scores = likeness.max(2, false).neg().maskedFill(odd, 4);
    return new Reduction(scores.to(DType.FLOAT32), into);
  }
}
