package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;

/**
 * The perceptron of the Top-k Transformer of <a href="https://arxiv.org/abs/2210.06313">The Lazy
 * Neuron Phenomenon: On Emergence of Activation Sparsity in Transformers</a>, in which only the k
 * largest hidden units count for each token. It has two layers and ReLU; the other units are 0. So
 * it computes {@code W₂ top-k(relu(W₁ x + b₁)) + b₂}. Gradients flow through the units that count.
 * Among equal ones it is not determined which do.
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

  private final int k;
  private final Slot<Layer> up;
  private final Slot<Layer> units;
  private final Slot<Layer> down;
  private final Slot<Layer> dropout;

  TopKMlp(Config config, BlockContext context) {
    int hidden = Widths.hidden(context.width(), config.expand(), config.hidden(), 1);
    if (config.k() > hidden) {
      throw new IllegalArgumentException(
          "k is " + config.k() + ": expected at most the hidden width " + hidden);
    }
    this.k = config.k();
    this.up = child("up", Layer.class, context.linear(context.width(), hidden));
    this.units = child("units", Layer.class, new Identity());
    this.down = child("down", Layer.class, context.residual(hidden, context.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor hidden = up.get().forward(x).relu();
    Tensor.Ranked largest = hidden.topK(k, -1);
    Tensor kept = hidden.zerosLike().scatter(-1, largest.indices(), largest.values());
    return dropout.get().forward(down.get().forward(units.get().forward(kept)));
  }
}
