package dev.jformer.mixer.reduction;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;

/**
 * The tokens stay that the class token attends to most, in the mean of the heads (EViT, arXiv
 * 2202.07800, without its fused token).
 */
@AutoService(TokenReducer.class)
public record ClassAttentionReducer() implements TokenReducer {
  @Override
  public String type() {
    return "class-attention";
  }

  @Override
  public AttentionRows sight() {
    return AttentionRows.FIRST;
  }

  @Override
  public Reduction judge(ReductionInput scene) {
    if (!scene.first()) {
      throw new IllegalArgumentException(
          "class-attention needs a first token that stays: set 'first' to true for a model that"
              + " has one for the class, or take another rule");
    }
    Tensor scores = scene.attention().select(2, 0).mean(1, false);
    return new Reduction(scores, null);
  }
}
