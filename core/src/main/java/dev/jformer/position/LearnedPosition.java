package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;

/** A learned vector for each position, added to the embeddings, as in GPT-2. */
public final class LearnedPosition extends Position {
  /**
   * Configuration.
   *
   * @param deviation standard deviation of the initial vectors
   */
  @AutoService(Position.Config.class)
  public record Config(double deviation) implements Position.Config {
    /** Defaults. */
    public Config() {
      this(0.02);
    }

    /** Checks the values. */
    public Config {
      if (!(deviation >= 0 && deviation < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException("deviation is " + deviation + ": expected at least 0");
      }
    }

    @Override
    public String type() {
      return "learned";
    }

    @Override
    public Position build(int width, int heads, int headDim, int length) {
      return new LearnedPosition(this, width, length);
    }
  }

  private final Parameter weight;

  LearnedPosition(Config config, int width, int length) {
    this.weight = parameter("weight", Initializer.normal(config.deviation()).create(length, width));
  }

  @Override
  public Tensor embed(Tensor x, long start) {
    return x.add(weight.value().narrow(0, start, x.size(1)));
  }

  @Override
  public boolean extrapolates() {
    return false;
  }

  @Override
  public RowRotation rowRotation() {
    return RowRotation.NONE;
  }
}
