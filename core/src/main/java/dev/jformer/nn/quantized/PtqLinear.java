package dev.jformer.nn.quantized;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Int8;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer after plain post-training quantization: weights on symmetric grids, one for each
 * output, activations on one grid, found on calibration data and fixed. Weights are held as int8,
 * also those of fewer bits. The product is one of int8 numbers with int32 sums.
 *
 * <p>With q the integers of the activations and z the integer of 0, {@code s (q - z) Ŵᵀ + b = s q
 * Ŵᵀ + (b - s z Ŵ1)}: the term in brackets is stored as bias. So an asymmetric grid costs no more
 * than a symmetric one.
 */
public final class PtqLinear extends QuantizedLinear {
  /**
   * Configuration.
   *
   * @param weightBits bits of a weight, 2 to 8
   * @param activationBits bits of an activation, 2 to 8
   * @param symmetric whether the grid of activations is symmetric
   * @param range how that grid's range is chosen
   */
  @AutoService(Projection.class)
  public record Config(int weightBits, int activationBits, boolean symmetric, RangeRule range)
      implements Projection {
    /** Defaults: 8 bits each, from the smallest to the largest value. */
    public Config() {
      this(8, 8, false, new RangeRule.MinMax());
    }

    /** Checks the values. */
    public Config {
      UniformGrid.check("weightBits", weightBits);
      UniformGrid.check("activationBits", activationBits);
      if (range == null) {
        throw new IllegalArgumentException("range is null: expected a rule such as min-max");
      }
    }

    @Override
    public String type() {
      return "ptq";
    }

    @Override
    public boolean trains() {
      return false;
    }

    /** Builds a layer of zeros, to be filled. */
    @Override
    public PtqLinear build(long in, long out, boolean bias, Initializer initializer) {
      return new PtqLinear(this, in, out);
    }
  }

  private final Config config;
  private final Parameter integers;
  private final Parameter weightScale;
  private final Parameter inputScale;
  private final Parameter inputZero;
  private final Parameter bias;

  PtqLinear(Config config, long in, long out) {
    this.config = config;
    this.integers = buffer("integers", Tensor.zeros(DType.INT8, out, in));
    this.weightScale = buffer("weightScale", Tensor.ones(out));
    this.inputScale = buffer("inputScale", Tensor.ones(1));
    this.inputZero = buffer("inputZero", Tensor.zeros(1));
    this.bias = buffer("bias", Tensor.zeros(out));
  }

  /**
   * Rounds a weight and stores it.
   *
   * @param weight [out, in]
   */
  public void quantizeWeight(Tensor weight) {
    Tensor exact = weight.to(DType.FLOAT32);
    double most = (1 << (config.weightBits() - 1)) - 1;
    Tensor scale = exact.abs().max(1, true).div(most);
    scale = scale.maskedFill(scale.eq(0), 1); // rows of zeros
    integers.copyFrom(exact.div(scale).round().clamp(-most - 1, most).to(DType.INT8));
    weightScale.copyFrom(scale.squeeze(1));
  }

  /**
   * Sets the grid of activations, once the weight is set.
   *
   * @param original the bias [out] that the exact layer has, or null
   * @throws IllegalArgumentException if the grid has another number of bits than the configuration
   */
  public void quantizeInput(UniformGrid grid, Tensor original) {
    if (grid.bits() != config.activationBits()) {
      throw new IllegalArgumentException(
          "the grid has " + grid.bits() + " bits: expected " + config.activationBits());
    }
    inputScale.copyFrom(Tensor.scalar(grid.scale()).reshape(1));
    inputZero.copyFrom(Tensor.scalar((double) grid.zero()).reshape(1));
    Tensor ofZero = weight().sum(1, false).mul(-grid.scale() * grid.zero());
    bias.copyFrom(original == null ? ofZero : ofZero.add(original.to(DType.FLOAT32)));
  }

  private Tensor integers(Tensor x) {
    return UniformGrid.integers(
        x.to(DType.FLOAT32), inputScale.value(), inputZero.value(), config.activationBits());
  }

  /** Computes the product of integers. */
  @Override
  public Tensor forward(Tensor x) {
    Tensor q = integers(x).to(DType.INT8);
    Tensor flat = q.reshape(-1, q.size(-1));
    Tensor sums = Int8.product(flat, integers.value()).to(DType.FLOAT32);
    Tensor scale = weightScale.value().mul(inputScale.value());
    Tensor y = bias.value().addProduct(sums, scale);
    long[] shape = x.shape().toArray();
    shape[shape.length - 1] = y.size(1);
    return y.reshape(shape).to(x.dtype());
  }

  /** Computes {@link #forward} up to rounding, with the integers as float32 numbers. */
  Tensor simulated(Tensor x) {
    Tensor values = integers(x).mul(inputScale.value());
    return Functional.linear(values, weight(), bias.value()).to(x.dtype());
  }

  @Override
  public Tensor weight() {
    return integers.value().to(DType.FLOAT32).mul(weightScale.value().unsqueeze(1));
  }

  @Override
  public Parameter bias() {
    return bias;
  }

  @Override
  public Tensor rounded(Tensor x) {
    return integers(x).sub(inputZero.value()).mul(inputScale.value());
  }

  @Override
  public double step() {
    return inputScale.value().item();
  }

  /** The configuration. */
  public Config config() {
    return config;
  }
}
