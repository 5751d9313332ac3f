package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;

/** A two-layer perceptron: a linear layer to the hidden width, an activation, and one back. */
public final class Mlp extends ChannelMixer {
  /**
   * Configuration.
   *
   * @param activation between the two layers
   * @param expand hidden width as a multiple of D
   * @param hidden hidden width; 0 for {@code expand * D}
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(Activation activation, double expand, int hidden)
      implements ChannelMixer.Config {
    /** Defaults. */
    public Config() {
      this(Activation.GELU, 4, 0);
    }

    /** Checks the values. */
    public Config {
      Widths.check(expand, hidden);
    }

    /** The hidden width in a model of width D. */
    public int hiddenFor(int width) {
      return Widths.hidden(width, expand, hidden, 1);
    }

    @Override
    public String type() {
      return "mlp";
    }

    @Override
    public ChannelMixer build(BlockContext context) {
      return new Mlp(this, context);
    }
  }

  private final int hidden;
  private final Activation activation;
  private final Slot<Layer> up;
  private final Slot<Layer> units;
  private final Slot<Layer> down;
  private final Slot<Layer> dropout;

  Mlp(Config config, BlockContext context) {
    this.hidden = config.hiddenFor(context.width());
    this.activation = config.activation();
    this.up = child("up", Layer.class, context.linear(context.width(), hidden));
    this.units = child("units", Layer.class, new Identity());
    this.down = child("down", Layer.class, context.residual(hidden, context.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor hidden = activation.apply(up.get().forward(x));
    return dropout.get().forward(down.get().forward(units.get().forward(hidden)));
  }

  @Override
  public RowFunction rowFunction() {
    RowFunction first = up.get().rowFunction();
    RowFunction second = down.get().rowFunction();
    boolean plain =
        units.get().rowFunction() == RowFunction.IDENTITY
            && dropout.get().rowFunction() == RowFunction.IDENTITY;
    if (first == null || second == null || !plain) {
      return null;
    }
    float[] inner = new float[RowFunction.MOST_ROWS * hidden];
    return (x, y, rows) -> {
      first.apply(x, inner, rows);
      activation.apply(inner, 0, rows * hidden);
      second.apply(inner, y, rows);
    };
  }
}
