package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;

/**
 * Rotary positions and linear biases at once, of <a href="https://arxiv.org/abs/2410.18441">The
 * Nature of Mathematical Modeling and Probabilistic Optimization Engineering in Generative AI</a>.
 * Queries and keys are rotated as {@link Rope} does, and the distance times a slope is subtracted
 * from the logits as {@link Alibi} does, but with slopes in harmonic series: 1, 1/2, 1/3, … for
 * heads 1, 2, 3, …. So the logit of head h is {@code q·R(j-i) k/√d - |i-j|/h}, R being the
 * rotation.
 */
public final class RopeAlibi extends Position {
  /**
   * Configuration.
   *
   * @param base as in {@link Rope.Config}
   */
  @AutoService(Position.Config.class)
  public record Config(double base) implements Position.Config {
    /** Defaults. */
    public Config() {
      this(10_000);
    }

    /** Checks the values. */
    public Config {
      Angles.checkBase(base);
    }

    @Override
    public String type() {
      return "rope-alibi";
    }

    @Override
    public Position build(int width, int heads, int headDim, int length) {
      Rope rope = (Rope) new Rope.Config(base).build(width, heads, headDim, length);
      double[] slopes = new double[heads];
      for (int h = 0; h < heads; h++) {
        slopes[h] = 1.0 / (h + 1);
      }
      return new RopeAlibi(rope, new Alibi(slopes));
    }
  }

  private final Rope rope;
  private final Alibi alibi;

  private RopeAlibi(Rope rope, Alibi alibi) {
    this.rope = rope;
    this.alibi = alibi;
  }

  @Override
  public Tensor rotate(Tensor x, long start) {
    return rope.rotate(x, start);
  }

  @Override
  public Tensor bias(long start, long queries, long keys, boolean causal) {
    return alibi.bias(start, queries, keys, causal);
  }
}
