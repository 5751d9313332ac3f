package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.nn.internal.Derived;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * The perceptron of the Top-k Transformer of <a href="https://arxiv.org/abs/2210.06313">The Lazy
 * Neuron Phenomenon: On Emergence of Activation Sparsity in Transformers</a>, in which only the k
 * largest hidden units count for each token. It has two layers and ReLU; the other units are 0. So
 * it computes {@code W₂ top-k(relu(W₁ x + b₁)) + b₂}. Gradients flow through the units that count.
 * Among equal ones it is not determined which do.
 *
 * <p>The second product of a single token, as in decoding, reads only the weights of the k units,
 * if they are at most a quarter of all and the matrix is large enough to be worth it. It keeps a
 * transposed copy of the matrix for that, whose rows are the units' weights.
 */
public final class TopKMlp extends ChannelMixer {
  /**
   * Configuration.
   *
   * @param k number of hidden units that count
   * @param expand hidden width as a multiple of D
   * @param hidden hidden width; 0 for {@code expand * D}
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(int k, double expand, int hidden) implements ChannelMixer.Config {
    /** Defaults. */
    public Config() {
      this(64, 4, 0);
    }

    /** Checks the values. */
    public Config {
      Widths.check(expand, hidden);
      Checks.atLeast("k", k, 1);
    }

    @Override
    public String type() {
      return "top-k";
    }

    @Override
    public ChannelMixer build(BlockContext context) {
      return new TopKMlp(this, context);
    }
  }

  /** Units that count are at most one in so many. */
  private static final long FEWEST_TIMES = 4;

  /** Elements of a matrix that is read from memory rather than from a cache. */
  private static final long SMALLEST = 1 << 18;

  private final int k;
  private final long width;
  private final Slot<Layer> up;
  private final Slot<Layer> units;
  private final Slot<Layer> down;
  private final Slot<Layer> dropout;
  private final Derived<Tensor> rows = Derived.tensor();

  TopKMlp(Config config, BlockContext context) {
    int hidden = Widths.hidden(context.width(), config.expand(), config.hidden(), 1);
    if (config.k() > hidden) {
      throw new IllegalArgumentException(
          "k is " + config.k() + ": expected at most the hidden width " + hidden);
    }
    this.k = config.k();
    this.width = context.width();
    this.up = child("up", Layer.class, context.linear(context.width(), hidden));
    this.units = child("units", Layer.class, new Identity());
    this.down = child("down", Layer.class, context.residual(hidden, context.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor hidden = up.get().forward(x).relu();
    Tensor.Ranked largest = hidden.topK(k, -1);
    if (skips(hidden) && down.get() instanceof Linear second) {
      return dropout.get().forward(ofUnits(largest, second, x));
    }
    Tensor kept = hidden.zerosLike().scatter(-1, largest.indices(), largest.values());
    return dropout.get().forward(down.get().forward(units.get().forward(kept)));
  }

  /** Whether this is one token, no gradient is wanted, and few of many units count. */
  private boolean skips(Tensor hidden) {
    long all = hidden.size(-1);
    return hidden.elements() == all
        && all >= FEWEST_TIMES * k
        && all * width >= SMALLEST
        && !Autograd.isEnabled()
        && !Autograd.isAutocast()
        && units.get() instanceof Identity;
  }

  private Tensor ofUnits(Tensor.Ranked largest, Linear second, Tensor x) {
    Tensor weight = second.weight().value();
    Tensor all = rows.get(() -> weight.t().contiguous().keep(), weight);
    Tensor sum = Functional.sparseRow(largest.indices().view(k), largest.values().view(k), all);
    Tensor offset = second.bias() == null ? null : second.bias().value();
    return (offset == null ? sum : sum.add(offset)).view(x.shape().toArray());
  }

  @Override
  public long derivedBytes() {
    return Derived.bytes(rows);
  }

  @Override
  protected void forget() {
    rows.forget();
  }
}
