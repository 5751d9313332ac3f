package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.nn.kan.SplineLayer;
import dev.jformer.tensor.Tensor;

/**
 * Two layers of B-splines, the original form of a Kolmogorov-Arnold network, of <a
 * href="https://arxiv.org/abs/2404.19756">KAN: Kolmogorov-Arnold Networks</a>, with which the <a
 * href="https://arxiv.org/abs/2409.10594">Kolmogorov-Arnold Transformer</a> is compared. There is a
 * spline for each pair of an input and an output; see {@link SplineLayer}. Output o is {@code Σ_i
 * Σ_g c[o, i, g] B_g(x_i)}, with basis functions B_g. For G intervals and splines of degree k it
 * has G + k + 1 times the weights of a perceptron of its width.
 */
public final class SplineKan extends ChannelMixer {
  /**
   * Configuration.
   *
   * @param intervals G between the ends of the grid
   * @param degree k of the splines
   * @param range the grid reaches from minus this to this
   * @param expand hidden width as a multiple of D
   * @param hidden hidden width; 0 for {@code expand * D}
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(int intervals, int degree, double range, double expand, int hidden)
      implements ChannelMixer.Config {
    /** Cubic splines on five intervals, as in the authors' code, over most of a normal input. */
    public Config() {
      this(5, 3, 2, 4, 0);
    }

    /** Checks the values. */
    public Config {
      Widths.check(expand, hidden);
      SplineLayer.check(intervals, degree, range);
    }

    @Override
    public String type() {
      return "spline-kan";
    }

    @Override
    public ChannelMixer build(BlockContext context) {
      return new SplineKan(this, context);
    }
  }

  private final Slot<Layer> up;
  private final Slot<Layer> down;
  private final Slot<Layer> dropout;

  SplineKan(Config config, BlockContext context) {
    int width = context.width();
    int hidden = Widths.hidden(width, config.expand(), config.hidden(), 1);
    double residual = context.init().scaleResidual() ? 1 / Math.sqrt(2.0 * context.layers()) : 1;
    this.up = child("up", Layer.class, layer(config, width, hidden, 1));
    this.down = child("down", Layer.class, layer(config, hidden, width, residual));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  private static Layer layer(Config config, int in, int out, double scale) {
    return new SplineLayer(
        in,
        out,
        config.intervals(),
        config.degree(),
        config.range(),
        Initializer.normal(scale / Math.sqrt(in)));
  }

  @Override
  public Tensor forward(Tensor x) {
    return dropout.get().forward(down.get().forward(up.get().forward(x)));
  }
}
