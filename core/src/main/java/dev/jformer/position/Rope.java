package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Rotary position embedding (<a href="https://arxiv.org/abs/2104.09864">RoFormer: Enhanced
 * Transformer with Rotary Position Embedding</a>): queries and keys are rotated by angles that grow
 * with their position, so that their product depends on the distance only.
 *
 * <p>Channels i and i + d/2 form a pair, as in Llama and GPT-NeoX checkpoints; the paper pairs
 * neighbours, which is the same up to a permutation of the channels.
 */
public final class Rope extends Position {
  /**
   * Configuration.
   *
   * @param base angle of pair i at position p is p / base^(2i/d)
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
      return "rope";
    }

    @Override
    public Position build(int width, int heads, int headDim, int length) {
      if (headDim % 2 != 0) {
        throw new IllegalArgumentException(
            "the head dimension is " + headDim + ": rotary positions need an even number");
      }
      return new Rope(this, headDim);
    }
  }

  private final PositionTable cosines;
  private final PositionTable sines;

  Rope(Config config, int headDim) {
    this.cosines = new PositionTable(n -> twice(Angles.of(n, headDim, config.base()).cos()));
    this.sines =
        new PositionTable(
            n -> {
              Tensor sine = Angles.of(n, headDim, config.base()).sin();
              return Tensor.cat(1, sine.neg(), sine).to(DType.FLOAT32);
            });
  }

  private static Tensor twice(Tensor half) {
    return Tensor.cat(1, half, half).to(DType.FLOAT32);
  }

  /** Rotates: with halves a and b of x, (a cos - b sin, b cos + a sin). */
  @Override
  public Tensor rotate(Tensor x, long start) {
    long length = x.size(2);
    Tensor cosine = cosines.rows(start, length).to(x.dtype());
    Tensor sine = sines.rows(start, length).to(x.dtype());
    return x.mul(cosine).add(x.roll(x.size(3) / 2, 3).mul(sine));
  }
}
