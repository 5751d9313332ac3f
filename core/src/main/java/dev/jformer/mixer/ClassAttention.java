package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;

/**
 * The tokens stay that the class token attends to most, in the mean of the heads (EViT, arXiv
 * 2202.07800, without its fused token).
 */
@AutoService(Thinning.class)
public record ClassAttention() implements Thinning {
  @Override
  public String type() {
    return "class-attention";
  }

  @Override
  public Sight sight() {
    return Sight.FIRST;
  }

  @Override
  public Verdict judge(Scene scene) {
    if (!scene.first()) {
      throw new IllegalArgumentException(
          "class-attention needs a first token that stays: set 'first' to true for a model that"
              + " has one for the class, or take another rule");
    }
    Tensor scores = scene.attention().select(2, 0).mean(1, false);
    return new Verdict(scores, null);
  }
}
