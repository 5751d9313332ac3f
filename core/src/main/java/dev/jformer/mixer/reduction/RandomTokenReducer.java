package dev.jformer.mixer.reduction;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * Tokens leave by chance: the same places in each sequence, others in each block.
 *
 * @param seed of the draws
 */
@AutoService(TokenReducer.class)
public record RandomTokenReducer(long seed) implements TokenReducer {
  /** Seed 1. */
  public RandomTokenReducer() {
    this(1);
  }

  @Override
  public String type() {
    return "random";
  }

  @Override
  public AttentionRows sight() {
    return AttentionRows.NONE;
  }

  @Override
  public Reduction judge(ReductionInput scene) {
    SplittableRandom random =
        new SplittableRandom(seed * 0x9E3779B97F4A7C15L + scene.layer() * 1_000_003L);
    double[] chance = random.doubles(scene.length()).toArray();
    float[] scores = new float[chance.length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) chance[i];
    }
    long batch = scene.attention().size(0);
    return new Reduction(Tensor.of(scores, 1, scores.length).expand(batch, -1), null);
  }
}
