package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;

/**
 * Two position encodings at once, such as learned vectors and T5's relative biases in MPNet (<a
 * href="https://arxiv.org/abs/2004.09297">MPNet: Masked and Permuted Pre-training for Language
 * Understanding</a>). Embeddings, queries and keys pass the first and then the second; biases are
 * added.
 */
public final class CombinedPosition extends Position {
  /**
   * Configuration.
   *
   * @param first acts first
   * @param second acts on what the first gives
   */
  @AutoService(Position.Config.class)
  public record Config(Position.Config first, Position.Config second) implements Position.Config {
    /** Learned vectors and T5's biases. */
    public Config() {
      this(new LearnedPosition.Config(), new T5Bias.Config());
    }

    /** Checks the values. */
    public Config {
      Checks.notNull("first", first);
      Checks.notNull("second", second);
    }

    @Override
    public String type() {
      return "combined";
    }

    @Override
    public Position build(int width, int heads, int headDim, int length) {
      return new CombinedPosition(
          first.build(width, heads, headDim, length), second.build(width, heads, headDim, length));
    }
  }

  private final Slot<Position> first;
  private final Slot<Position> second;

  private CombinedPosition(Position first, Position second) {
    this.first = child("first", Position.class, first);
    this.second = child("second", Position.class, second);
  }

  @Override
  public Tensor embed(Tensor x, long start) {
    return second.get().embed(first.get().embed(x, start), start);
  }

  @Override
  public Tensor rotate(Tensor x, long start) {
    return second.get().rotate(first.get().rotate(x, start), start);
  }

  @Override
  public Tensor bias(long start, long queries, long keys, boolean causal) {
    Tensor one = first.get().bias(start, queries, keys, causal);
    Tensor other = second.get().bias(start, queries, keys, causal);
    return one == null || other == null ? (one == null ? other : one) : one.add(other);
  }

  @Override
  public boolean changes(long length, long other) {
    return first.get().changes(length, other) || second.get().changes(length, other);
  }

  @Override
  public boolean extrapolates() {
    return first.get().extrapolates() && second.get().extrapolates();
  }
}
