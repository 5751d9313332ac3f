package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * Tokens leave by chance: the same places in each sequence, others in each block.
 *
 * @param seed of the draws
 */
@AutoService(Thinning.class)
public record RandomThinning(long seed) implements Thinning {
  /** Seed 1. */
  public RandomThinning() {
    this(1);
  }

  @Override
  public String type() {
    return "random";
  }

  @Override
  public Sight sight() {
    return Sight.NONE;
  }

  @Override
  public Verdict judge(Scene scene) {
    SplittableRandom random =
        new SplittableRandom(seed * 0x9E3779B97F4A7C15L + scene.layer() * 1_000_003L);
    double[] chance = random.doubles(scene.length()).toArray();
    float[] scores = new float[chance.length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) chance[i];
    }
    long batch = scene.attention().size(0);
    return new Verdict(Tensor.of(scores, 1, scores.length).expand(batch, -1), null);
  }
}
