package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.GrowingPart;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Pattention;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;

/**
 * TokenFormer's feed-forward part (<a href="https://arxiv.org/abs/2410.23168">TokenFormer:
 * Rethinking Transformer Scaling with Tokenized Model Parameters</a>): a single {@link Pattention},
 * whose parameter tokens correspond to a perceptron's hidden units.
 */
public final class PattentionMlp extends ChannelMixer {
  /**
   * Configuration.
   *
   * @param expand initial number of parameter tokens, as a multiple of D
   * @param growth factor by which their number has grown since
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(double expand, int growth) implements ChannelMixer.Config, GrowingPart {
    /** Defaults: four times the width, not grown. */
    public Config() {
      this(4, 1);
    }

    /** Checks the values. */
    public Config {
      Checks.moreThan("expand", expand, 0);
      Checks.atLeast("growth", growth, 1);
    }

    @Override
    public Config grown(int times) {
      return new Config(expand, Math.multiplyExact(growth, times));
    }

    @Override
    public String type() {
      return "pattention";
    }

    @Override
    public ChannelMixer build(BlockContext context) {
      return new PattentionMlp(this, context);
    }
  }

  private final Slot<Layer> tokens;
  private final Slot<Layer> dropout;

  PattentionMlp(Config config, BlockContext context) {
    long first = Math.max(1, Math.round(config.expand() * context.width()));
    Initializer normal = Initializer.normal(context.init().deviation());
    this.tokens =
        child(
            "tokens",
            Layer.class,
            new Pattention(context.width(), context.width(), first, config.growth(), normal));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  @Override
  public Tensor forward(Tensor x) {
    return dropout.get().forward(tokens.get().forward(x));
  }
}
