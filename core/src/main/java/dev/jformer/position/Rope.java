package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
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
   * @param rotated the share of a head's channels that are rotated, the first ones; d is then their
   *     number (<a href="https://arxiv.org/abs/2204.06745">GPT-NeoX-20B: An Open-Source
   *     Autoregressive Language Model</a>)
   * @param scaling the scaling for longer texts
   */
  @AutoService(Position.Config.class)
  public record Config(double base, double rotated, RopeScaling scaling)
      implements Position.Config {
    /** Defaults. */
    public Config() {
      this(10_000);
    }

    /** Rotary positions of all channels. */
    public Config(double base) {
      this(base, 1, new UnscaledRope());
    }

    /** Checks the values. */
    public Config {
      Angles.checkBase(base);
      Checks.check(rotated > 0 && rotated <= 1, "rotated", rotated, "a share above 0, at most 1");
      Checks.notNull("scaling", scaling);
    }

    @Override
    public String type() {
      return "rope";
    }

    @Override
    public Position build(int width, int heads, int headDim, int length) {
      if (headDim % 2 != 0 && rotated == 1) {
        throw new IllegalArgumentException(
            "the head dimension is " + headDim + ": rotary positions need an even number");
      }
      int channels = (int) (headDim * rotated + 1e-6);
      Checks.check(
          channels > 0 && channels % 2 == 0,
          "rotated",
          rotated + ", that is " + channels + " of " + headDim + " channels",
          "an even number above 0");
      return new Rope(this, channels);
    }
  }

  private final Config config;
  private final int channels;
  private final PositionTable cosines;
  private final PositionTable sines;

  Rope(Config config, int channels) {
    this.config = config;
    this.channels = channels;
    double[] rates = rates(1);
    rates(Integer.MAX_VALUE); // fails if they cannot be computed
    this.cosines = new PositionTable(n -> cosine(Angles.of(0, n, rates)));
    this.sines = new PositionTable(n -> sine(Angles.of(0, n, rates)));
  }

  private double[] rates(long length) {
    return config.scaling().rates(config.base(), channels, length);
  }

  private Tensor cosine(Tensor angles) {
    Tensor cosine = angles.cos();
    return scaled(Tensor.cat(1, cosine, cosine));
  }

  private Tensor sine(Tensor angles) {
    Tensor sine = angles.sin();
    return scaled(Tensor.cat(1, sine.neg(), sine));
  }

  private Tensor scaled(Tensor table) {
    double magnitude = config.scaling().magnitude();
    return (magnitude == 1 ? table : table.mul(magnitude)).to(DType.FLOAT32);
  }

  /** Rotates: with halves a and b of x, (a cos - b sin, b cos + a sin). */
  @Override
  public Tensor rotate(Tensor x, long start) {
    long length = x.size(2);
    if (!changes(1, start + length)) {
      return rotate(x, cosines.rows(start, length), sines.rows(start, length));
    }
    Tensor angles = Angles.of(start, length, rates(start + length));
    return rotate(x, cosine(angles), sine(angles));
  }

  @Override
  public RowRotation rowRotation() {
    return new Rotation();
  }

  /** Rotates plain floats; it keeps the sines of the present position. */
  private final class Rotation implements RowRotation {
    private final int half = channels / 2;
    private long position = -1;
    private float[] cosine;
    private float[] sine;

    @Override
    public void apply(float[] x, int heads, int headDim, long at) {
      if (at != position) {
        // The second half of the table has sines with their own sign.
        cosine = cosines.rows(at, 1).toFloats();
        sine = sines.rows(at, 1).toFloats();
        position = at;
      }
      for (int start = 0; start < heads * headDim; start += headDim) {
        for (int i = 0; i < half; i++) {
          float a = x[start + i];
          float b = x[start + half + i];
          x[start + i] = a * cosine[i] - b * sine[half + i];
          x[start + half + i] = b * cosine[half + i] + a * sine[half + i];
        }
      }
    }
  }

  @Override
  public boolean changes(long length, long other) {
    return config.scaling().changes(length, other);
  }

  private Tensor rotate(Tensor x, Tensor cosine, Tensor sine) {
    long rest = x.size(3) - channels;
    if (rest > 0) {
      Tensor rotated = rotate(x.narrow(3, 0, channels), cosine, sine);
      return Tensor.cat(3, rotated, x.narrow(3, channels, rest));
    }
    Tensor swapped = x.roll(channels / 2, 3);
    return x.mul(cosine.to(x.dtype())).add(swapped.mul(sine.to(x.dtype())));
  }
}
