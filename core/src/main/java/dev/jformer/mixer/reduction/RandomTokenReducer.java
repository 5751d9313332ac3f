package dev.jformer.mixer.reduction;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * A token reducer that drops random tokens: at the same positions in each sequence, at other ones
 * in each block.
 *
 * @param seed seed of the draws
 */
@AutoService(TokenReducer.class)
public record RandomTokenReducer(long seed) implements TokenReducer {
  /** Default: seed 1. */
  public RandomTokenReducer() {
    this(1);
  }

  @Override
  public String type() {
    return "random";
  }

  @Override
  public AttentionRows attentionRows() {
    return AttentionRows.NONE;
  }

  @Override
  public Reduction reduce(ReductionInput input) {
    SplittableRandom random =
        new SplittableRandom(seed * 0x9E3779B97F4A7C15L + input.layer() * 1_000_003L);
    double[] chance = random.doubles(input.length()).toArray();
    float[] scores = new float[chance.length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) chance[i];
    }
    long batch = input.attention().size(0);
    return new Reduction(Tensor.of(scores, 1, scores.length).expand(batch, -1), null);
  }
}
