package dev.jformer.nn.shift;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Foldable;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * A layer of a shift network with zero in training, as in DeepShift-Q (<a
 * href="https://arxiv.org/abs/1905.13298">DeepShift: Towards Multiplication-Less Neural
 * Networks</a>), which DenseShift (<a href="https://arxiv.org/abs/2208.09708">DenseShift: Towards
 * Accurate and Transferable Low-Bit Shift Network</a>) improves on: a linear layer {@code x Wᵀ + b}
 * whose latent weights are rounded to the nearest of 0 and {@code ±2^p} steps and multiplied by a
 * trained scale for each output. The gradient is straight-through. A latent weight must cross zero
 * to change its sign.
 *
 * <p>The step is the one with the least rounding error of the initial matrix and stays fixed; the
 * scale starts equal to it and is trained, as for {@link DenseShiftLinear}. DeepShift has no scale;
 * it bounds p.
 *
 * <p>The layer folds into a {@link ShiftLinear} with the same number of bits.
 */
public final class RoundedShiftLinear extends Layer implements Foldable, ShiftWeight {
  /**
   * Configuration.
   *
   * @param bits bits of a weight, 2 to 4: with 3 there are 0, ±1, ±2 and ±4
   */
  @AutoService(Projection.class)
  public record Config(int bits) implements Projection {
    /** Default: 3 bits. */
    public Config() {
      this(3);
    }

    /** Checks the bits. */
    public Config {
      new ShiftFormat(bits, true);
    }

    @Override
    public String type() {
      return "shift-rounded";
    }

    @Override
    public RoundedShiftLinear build(long in, long out, boolean bias, Initializer initializer) {
      return new RoundedShiftLinear(this, in, out, bias, initializer);
    }

    @Override
    public ShiftLinear.Config folded() {
      return new ShiftLinear.Config(bits, true, ShiftLinear.Arithmetic.FLOATS);
    }
  }

  private final Config config;
  private final ShiftFormat format;
  private final Parameter latent;
  private final Parameter step;
  private final Parameter scale;
  private final Parameter bias;

  RoundedShiftLinear(Config config, long in, long out, boolean bias, Initializer initializer) {
    this.config = config;
    this.format = new ShiftFormat(config.bits(), true);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor drawn = initializer.create(out, in);
      double found = MetaMode.isOpen() ? 1 : format.scale(drawn.reshape(-1).toDoubles());
      Tensor size = Tensor.full(found == 0 ? 1 : found, DType.FLOAT32, 1);
      this.latent = parameter("latent", drawn);
      this.step = buffer("step", size);
      this.scale = parameter("scale", Tensor.ones(out).mul(size));
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
      made = rounded(latent.value()).mul(scale.value().unsqueeze(1));
    }
    return Autograd.withGradient(
        "shift-rounded", made, this::gradients, latent.value(), scale.value());
  }

  /**
   * Rounds each weight, in steps, to the nearest of 0 and ±2^p; see {@link ShiftFormat#nearest}.
   */
  private Tensor rounded(Tensor weights) {
    Tensor plain = weights.detach().div(step.value());
    Tensor sizes = plain.abs();
    Tensor whole = sizes.ge(0.5).to(plain.dtype());
    for (int shift = 0; shift < format.largest(); shift++) {
      double power = 1 << shift;
      whole = whole.add(sizes.gt(1.5 * power).to(plain.dtype()), power);
    }
    return whole.mul(plain.sign());
  }

  private List<Tensor> gradients(Tensor gradient, List<Tensor> operands) {
    Tensor ofScale = gradient.mul(rounded(operands.get(0))).sum(1, false);
    Tensor each = gradient.mul(operands.get(1).unsqueeze(1)).div(step.value());
    return List.of(each, ofScale);
  }

  @Override
  public Tensor signs() {
    return rounded(latent.value()).sign().to(DType.INT8);
  }

  @Override
  public Tensor shifts() {
    Tensor sizes = rounded(latent.value()).abs();
    Tensor shift = sizes.zerosLike();
    for (int p = 1; p <= format.largest(); p++) {
      shift = shift.add(sizes.ge(1 << p).to(sizes.dtype()));
    }
    return shift.to(DType.INT8);
  }

  @Override
  public Tensor scales() {
    return scale.value().detach();
  }

  @Override
  public ShiftLinear folded() {
    return stored(this, config.folded(), bias);
  }

  /** Converts a trained layer to its stored form. */
  static ShiftLinear stored(ShiftWeight trained, ShiftLinear.Config config, Parameter bias) {
    Tensor signs = trained.signs();
    ShiftLinear layer =
        config.build(signs.size(1), signs.size(0), bias != null, Initializer.zeros());
    layer.fill(trained);
    if (bias != null) {
      layer.bias().copyFrom(bias.value().detach());
    }
    return layer;
  }
}
