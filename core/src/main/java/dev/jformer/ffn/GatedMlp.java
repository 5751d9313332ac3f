package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.JoinedLayers;
import dev.jformer.nn.Layer;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * Gated linear unit (<a href="https://arxiv.org/abs/2002.05202">GLU Variants Improve
 * Transformer</a>): {@code down(activation(gate(x)) * up(x))}; with SiLU it is SwiGLU. One linear
 * layer computes gate and up, in this order.
 */
public final class GatedMlp extends ChannelMixer implements JoinedLayers {
  /**
   * Configuration.
   *
   * @param activation of the gate
   * @param expand hidden width as a multiple of D, rounded up to a multiple of 8; 8/3 gives the
   *     parameters of a plain MLP with 4
   * @param hidden hidden width; 0 to use {@code expand}
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(Activation activation, double expand, int hidden)
      implements ChannelMixer.Config {
    /** Defaults. */
    public Config() {
      this(Activation.SILU, 8.0 / 3, 0);
    }

    /** Checks the values. */
    public Config {
      Widths.check(expand, hidden);
    }

    /** The hidden width in a model of width D. */
    public int hiddenFor(int width) {
      return Widths.hidden(width, expand, hidden, 8);
    }

    @Override
    public String type() {
      return "gated-mlp";
    }

    @Override
    public ChannelMixer build(BlockContext context) {
      return new GatedMlp(this, context);
    }
  }

  private final long hidden;
  private final Activation activation;
  private final Slot<Layer> gateUp;
  private final Slot<Layer> down;
  private final Slot<Layer> dropout;

  GatedMlp(Config config, BlockContext context) {
    this.hidden = config.hiddenFor(context.width());
    this.activation = config.activation();
    this.gateUp = child("gateUp", Layer.class, context.linear(context.width(), 2L * hidden));
    this.down = child("down", Layer.class, context.residual(hidden, context.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  @Override
  public Map<String, List<Long>> joinedRows() {
    return Map.of("gateUp", List.of(hidden, hidden));
  }

  @Override
  public Tensor forward(Tensor x) {
    List<Tensor> halves = gateUp.get().forward(x).chunk(2, -1);
    Tensor gated = activation.apply(halves.get(0)).mul(halves.get(1));
    return dropout.get().forward(down.get().forward(gated));
  }

  @Override
  public RowFunction rowFunction() {
    RowFunction first = gateUp.get().rowFunction();
    RowFunction second = down.get().rowFunction();
    boolean plain = dropout.get().rowFunction() == RowFunction.IDENTITY;
    if (first == null || second == null || !plain) {
      return null;
    }
    int units = Math.toIntExact(hidden);
    float[] halves = new float[RowFunction.MOST_ROWS * 2 * units];
    float[] gated = new float[RowFunction.MOST_ROWS * units];
    return (x, y, rows) -> {
      first.apply(x, halves, rows);
      for (int row = 0; row < rows; row++) {
        int from = 2 * row * units;
        activation.apply(halves, from, units);
        for (int i = 0; i < units; i++) {
          gated[row * units + i] = halves[from + i] * halves[from + units + i];
        }
      }
      second.apply(gated, y, rows);
    };
  }
}
