package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Fixed sine and cosine vectors added to the embeddings (<a
 * href="https://arxiv.org/abs/1706.03762">Attention Is All You Need</a>): channel 2i of position p
 * holds sin(p / base^(2i/D)), channel 2i + 1 the cosine.
 */
public final class Sinusoidal extends Position {
  /**
   * Configuration.
   *
   * @param base the longest wavelength over 2π
   * @param scaleEmbedding whether embeddings are first multiplied by √D, as in the paper
   */
  @AutoService(Position.Config.class)
  public record Config(double base, boolean scaleEmbedding) implements Position.Config {
    /** Defaults. */
    public Config() {
      this(10_000, false);
    }

    /** Checks the values. */
    public Config {
      Angles.checkBase(base);
    }

    @Override
    public String type() {
      return "sinusoidal";
    }

    @Override
    public Position build(int width, int heads, int headDim, int length) {
      if (width % 2 != 0) {
        throw new IllegalArgumentException(
            "width is " + width + ": sinusoidal positions need an even width");
      }
      return new Sinusoidal(this, width);
    }
  }

  private final Config config;
  private final int width;
  private final PositionTable table;

  Sinusoidal(Config config, int width) {
    this.config = config;
    this.width = width;
    this.table = new PositionTable(this::encode);
  }

  private Tensor encode(long positions) {
    Tensor angles = Angles.of(positions, width, config.base());
    return Tensor.stack(2, angles.sin(), angles.cos()).flatten(1, 2).to(DType.FLOAT32);
  }

  @Override
  public Tensor embed(Tensor x, long start) {
    Tensor scaled = config.scaleEmbedding() ? x.mul(Math.sqrt(width)) : x;
    return scaled.add(table.rows(start, x.size(1)).to(x.dtype()));
  }

  @Override
  public RowRotation rowRotation() {
    return RowRotation.NONE;
  }
}
