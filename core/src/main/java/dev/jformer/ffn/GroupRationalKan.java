package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.nn.kan.GroupRational;
import dev.jformer.nn.kan.RationalFunction;
import dev.jformer.tensor.Tensor;
import java.util.function.DoubleUnaryOperator;

/**
 * The group-rational KAN (GR-KAN) of the <a
 * href="https://arxiv.org/abs/2409.10594">Kolmogorov-Arnold Transformer</a>, a perceptron with
 * learned activations. Each of its two linear layers follows such an activation ({@link
 * GroupRational}). The first starts as the identity, the second as a usual activation.
 *
 * <p>Initial weights preserve the variance: if the second moment of the activation F is E[F(x)²]
 * for a standard normal x, the weights of the linear layer after it have the variance 1 / (in
 * E[F(x)²]). The scaling of {@link BlockContext.Init#scaleResidual} is applied in addition.
 */
public final class GroupRationalKan extends ChannelMixer {
  /** The function that the second activation starts as. */
  public enum Start {
    /** {@code x * sigmoid(x)}, as in most of the authors' models. */
    SILU(x -> x / (1 + Math.exp(-x))),
    /** Gaussian error linear unit, exact. */
    GELU(GroupRationalKan::gelu),
    /** The identity, {@code x}. */
    IDENTITY(x -> x);

    private final DoubleUnaryOperator function;

    Start(DoubleUnaryOperator function) {
      this.function = function;
    }

    RationalFunction rational() {
      return this == IDENTITY ? RationalFunction.identity() : RationalFunction.fit(function);
    }
  }

  /** GELU, by the series of the normal distribution, which converges fast in the range used. */
  private static double gelu(double x) {
    double term = x;
    double sum = x;
    for (int k = 1; k < 100; k++) {
      term *= x * x / (2 * k + 1);
      sum += term;
    }
    return x * (0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));
  }

  /**
   * Configuration.
   *
   * @param groups of channels that share an activation; must divide both widths
   * @param start what the second activation starts as
   * @param expand hidden width as a multiple of D
   * @param hidden hidden width; 0 for {@code expand * D}
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(int groups, Start start, double expand, int hidden)
      implements ChannelMixer.Config {
    /** Defaults, as in the paper. */
    public Config() {
      this(8, Start.SILU, 4, 0);
    }

    /** Checks the values. */
    public Config {
      Widths.check(expand, hidden);
      Checks.atLeast("groups", groups, 1);
      if (start == null) {
        throw new IllegalArgumentException("start is null: expected an activation");
      }
    }

    @Override
    public String type() {
      return "gr-kan";
    }

    @Override
    public ChannelMixer build(BlockContext context) {
      return new GroupRationalKan(this, context);
    }
  }

  private final Slot<Layer> first;
  private final Slot<Layer> firstDropout;
  private final Slot<Layer> up;
  private final Slot<Layer> second;
  private final Slot<Layer> secondDropout;
  private final Slot<Layer> down;

  GroupRationalKan(Config config, BlockContext context) {
    int width = context.width();
    int hidden = Widths.hidden(width, config.expand(), config.hidden(), 1);
    RationalFunction identity = RationalFunction.identity();
    RationalFunction start = config.start().rational();
    this.first = child("first", Layer.class, new GroupRational(width, config.groups(), identity));
    this.firstDropout = child("firstDropout", Layer.class, new Dropout(context.dropout()));
    this.up =
        child(
            "up",
            Layer.class,
            context
                .projection()
                .build(width, hidden, context.bias(), variancePreserving(width, identity, 1)));
    this.second = child("second", Layer.class, new GroupRational(hidden, config.groups(), start));
    this.secondDropout = child("secondDropout", Layer.class, new Dropout(context.dropout()));
    double scale = context.init().scaleResidual() ? 1 / Math.sqrt(2.0 * context.layers()) : 1;
    this.down =
        child(
            "down",
            Layer.class,
            context
                .projection()
                .build(hidden, width, context.bias(), variancePreserving(hidden, start, scale)));
  }

  private static Initializer variancePreserving(int in, RationalFunction activation, double scale) {
    return Initializer.normal(scale / Math.sqrt(in * activation.secondMoment()));
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor before = firstDropout.get().forward(first.get().forward(x));
    Tensor hidden = second.get().forward(up.get().forward(before));
    return down.get().forward(secondDropout.get().forward(hidden));
  }
}
