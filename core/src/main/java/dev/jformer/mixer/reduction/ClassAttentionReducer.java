package dev.jformer.mixer.reduction;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;

/**
 * A token reducer that keeps the tokens that the class token attends to most, in the mean of the
 * heads, as EViT does (<a href="https://arxiv.org/abs/2202.07800">Not All Patches are What You
 * Need: Expediting Vision Transformers via Token Reorganizations</a>), but without its fused token.
 */
@AutoService(TokenReducer.class)
public record ClassAttentionReducer() implements TokenReducer {
  @Override
  public String type() {
    return "class-attention";
  }

  @Override
  public AttentionRows attentionRows() {
    return AttentionRows.FIRST;
  }

  @Override
  public Reduction reduce(ReductionInput input) {
    if (!input.first()) {
      throw new IllegalArgumentException(
          "class-attention needs a class token that always stays: set 'first' to true for a model that"
              + " has one, or choose another rule");
    }
    Tensor scores = input.attention().select(2, 0).mean(1, false);
    return new Reduction(scores, null);
  }
}
