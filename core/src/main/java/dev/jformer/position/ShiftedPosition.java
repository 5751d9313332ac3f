package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;

/**
 * Learned positions that begin anywhere in training (<a
 * href="https://arxiv.org/abs/2109.05644">SHAPE: Shifted Absolute Position Embedding for
 * Transformers</a>): each sequence of a batch is shifted by a random number of positions, as far as
 * the model's length allows. A model that is longer than what it is trained on learns all of its
 * positions so, and distances rather than places; <a href="https://arxiv.org/abs/2310.16028">What
 * Algorithms can Transformers Learn?</a> trains its models in this way. In inference sequences
 * begin at the first position.
 */
public final class ShiftedPosition extends Position {
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
      Checks.atLeast("deviation", deviation, 0.0);
    }

    @Override
    public String type() {
      return "shifted";
    }

    @Override
    public Position build(int width, int heads, int headDim, int length) {
      return new ShiftedPosition(this, width, length);
    }
  }

  private final Parameter weight;

  ShiftedPosition(Config config, int width, int length) {
    this.weight = parameter("weight", Initializer.normal(config.deviation()).create(length, width));
  }

  @Override
  public Tensor embed(Tensor x, long start) {
    long batch = x.size(0);
    long length = x.size(1);
    long room = weight.value().size(0) - start - length;
    if (!isTraining() || room <= 0) {
      return x.add(weight.value().narrow(0, start, length));
    }
    Tensor places = Tensor.randint(0, room + 1, batch, 1).add(Tensor.arange(start, start + length));
    return x.add(
        weight.value().indexSelect(0, places.flatten(0, 1)).view(batch, length, x.size(2)));
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
