package dev.jformer.nn.shift;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.Foldable;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.quantized.MiniFloat;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A DenseShift layer in training (<a href="https://arxiv.org/abs/2208.09708">DenseShift: Towards
 * Accurate and Transferable Low-Bit Shift Network</a>): a linear layer {@code x Wᵀ + b}, [..., in]
 * to [..., out], whose weights are {@code ±2^S} times a scale for each output, and never zero. Sign
 * and exponent are computed from latent numbers by steps with straight-through gradients
 * (sign-scale decomposition):
 *
 * <pre>
 * sign = 1 if w ≥ 0, else -1
 * S₁ = [t₁ > 0], Sₖ = (Sₖ₋₁ + 1) [tₖ > 0], S the last of 2^(bits-1) - 1
 * </pre>
 *
 * so that a weight need not cross zero to change its sign. As in the authors' code for 3 bits the
 * gradient is that of {@code sign √(S + 1)}, not of 2^S, with which large weights would change
 * most.
 *
 * <p>Latent numbers start as normal ones with a small deviation, close to their steps; 0.001 is our
 * choice, as not all of the paper's text was available. So is the trained scale: the paper's
 * convolutions have none, as batch normalisation follows, which gives each output a scale too. It
 * starts such that the variance of W is the initializer's.
 *
 * <p>The layer folds into a {@link ShiftLinear} with the same number of bits.
 */
public final class DenseShiftLinear extends Layer implements Foldable, ShiftWeight {
  /**
   * Configuration.
   *
   * @param bits bits of a weight, 2 to 4
   * @param deviation initial standard deviation of the latent numbers
   */
  @AutoService(Projection.class)
  public record Config(int bits, double deviation) implements Projection {
    /** Default: 3 bits. */
    public Config() {
      this(3);
    }

    /** A number of bits, with the default deviation. */
    public Config(int bits) {
      this(bits, 1e-3);
    }

    /** Checks the values. */
    public Config {
      new ShiftFormat(bits, false);
      Checks.check(
          deviation > 0 && Double.isFinite(deviation),
          "deviation",
          deviation,
          "more than 0, such as 0.001");
    }

    @Override
    public String type() {
      return "denseshift";
    }

    @Override
    public DenseShiftLinear build(long in, long out, boolean bias, Initializer initializer) {
      return new DenseShiftLinear(this, in, out, bias, initializer);
    }

    @Override
    public ShiftLinear.Config folded() {
      return new ShiftLinear.Config(bits, false, ShiftLinear.Arithmetic.FLOATS);
    }
  }

  private final Config config;
  private final Parameter sign;
  private final Parameter shifts;
  private final Parameter scale;
  private final Parameter bias;

  DenseShiftLinear(Config config, long in, long out, boolean bias, Initializer initializer) {
    this.config = config;
    long steps = (1L << (config.bits() - 1)) - 1;
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      this.sign = parameter("sign", Tensor.randn(out, in).mul(config.deviation()));
      this.shifts = parameter("shifts", Tensor.randn(steps, out, in).mul(config.deviation()));
      this.scale = parameter("scale", Tensor.ones(out));
      if (!MetaMode.isOpen()) {
        Tensor wanted = initializer.create(out, in).norm();
        scale.copyFrom(Tensor.ones(out).mul(wanted.div(values().norm())));
      }
    }
    this.bias = bias ? parameter("bias", Tensor.zeros(out)) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Functional.linear(x, weight(), bias == null ? null : bias.value());
  }

  /** Computes the weight W [out, in], with gradients. */
  public Tensor weight() {
    Tensor made;
    try (Mode mode = Autograd.noGrad()) {
      made = values().mul(scale.value().unsqueeze(1));
    }
    return Autograd.withGradient(
        "denseshift",
        made,
        DenseShiftLinear::gradients,
        sign.value(),
        shifts.value(),
        scale.value());
  }

  /** The values ±2^S, [out, in]. */
  private Tensor values() {
    return signed(sign.value()).mul(power(exponent(shifts.value()), sign.value().dtype()));
  }

  private static Tensor signed(Tensor latent) {
    Tensor positive = latent.detach().ge(0).to(latent.dtype());
    return positive.mul(2).sub(1);
  }

  private static Tensor power(Tensor exponent, DType dtype) {
    return MiniFloat.powersOfTwo(exponent).to(dtype);
  }

  /** All Sₖ, the last of which is S: [steps][out, in]. */
  private static List<Tensor> chain(Tensor latent) {
    List<Tensor> chain = new ArrayList<>();
    Tensor open = latent.detach().gt(0).to(latent.dtype());
    Tensor last = open.select(0, 0);
    chain.add(last);
    for (int k = 1; k < open.size(0); k++) {
      last = last.add(1).mul(open.select(0, k));
      chain.add(last);
    }
    return chain;
  }

  private static Tensor exponent(Tensor latent) {
    List<Tensor> chain = chain(latent);
    return chain.get(chain.size() - 1);
  }

  /** The gradients of the sign, the shifts and the scale. */
  private static List<Tensor> gradients(Tensor gradient, List<Tensor> operands) {
    Tensor latent = operands.get(1);
    List<Tensor> chain = chain(latent);
    int last = chain.size() - 1;
    Tensor signs = signed(operands.get(0));
    Tensor power = power(chain.get(last), gradient.dtype());
    Tensor ofScale = gradient.mul(signs).mul(power).sum(1, false);
    Tensor each = gradient.mul(operands.get(2).unsqueeze(1));
    Tensor root = chain.get(last).add(1).sqrt();
    Tensor ofExponent = each.mul(signs).mul(0.5).div(root);
    Tensor[] ofShifts = new Tensor[last + 1];
    for (int k = last; k >= 0; k--) {
      ofShifts[k] = k == 0 ? ofExponent : ofExponent.mul(chain.get(k - 1).add(1));
      ofExponent = ofExponent.mul(latent.select(0, k).gt(0).to(gradient.dtype()));
    }
    return Arrays.asList(each.mul(root), Tensor.stack(0, ofShifts), ofScale);
  }

  @Override
  public Tensor signs() {
    return signed(sign.value()).to(DType.INT8);
  }

  @Override
  public Tensor shifts() {
    return exponent(shifts.value()).to(DType.INT8);
  }

  @Override
  public Tensor scales() {
    return scale.value().detach();
  }

  @Override
  public ShiftLinear folded() {
    return RoundedShiftLinear.stored(this, config.folded(), bias);
  }
}
