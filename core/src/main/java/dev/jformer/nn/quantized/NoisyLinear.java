package dev.jformer.nn.quantized;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A quantized linear layer with the noisy bias of <a
 * href="https://arxiv.org/abs/2211.16056">NoisyQuant: Noisy Bias-Enhanced Post-Training Activation
 * Quantization for Vision Transformers</a>. It computes {@code Q(x + N) Ŵᵀ - N Ŵᵀ + b}, where N
 * [in] is drawn once, and the same for all tokens. It moves numbers that many activations share off
 * the places between two numbers of the grid, where rounding them costs most; Q stays as it is. The
 * term {@code - N Ŵᵀ} is part of the quantized layer's bias, so that an addition is all that this
 * costs.
 */
public final class NoisyLinear extends Layer {
  /**
   * Configuration.
   *
   * @param quantizer the kind of the quantized layer; it must build a {@link QuantizedLinear}
   */
  @AutoService(Projection.class)
  public record Config(Projection quantizer) implements Projection {
    /** Default: around plain quantization. */
    public Config() {
      this(new PtqLinear.Config());
    }

    /** Checks the values. */
    public Config {
      if (quantizer == null || quantizer instanceof Config) {
        throw new IllegalArgumentException(
            "quantizer is "
                + (quantizer == null ? "null" : "'" + quantizer.type() + "' itself")
                + ": expected a projection that quantizes, such as 'ptq'");
      }
    }

    @Override
    public String type() {
      return "noisyquant";
    }

    @Override
    public boolean trains() {
      return false;
    }

    /** Builds a layer without noise around an unfilled quantized one. */
    @Override
    public NoisyLinear build(long in, long out, boolean bias, Initializer initializer) {
      Layer layer = quantizer.build(in, out, true, initializer);
      if (layer instanceof QuantizedLinear quantized) {
        return new NoisyLinear(quantized, in);
      }
      layer.close();
      throw new IllegalArgumentException(
          "quantizer is '"
              + quantizer.type()
              + "', which does not quantize activations: expected one that does, such as 'ptq'");
    }
  }

  private final Slot<QuantizedLinear> quantized;
  private final Parameter noise;

  NoisyLinear(QuantizedLinear quantized, long in) {
    this.quantized = child("quantized", QuantizedLinear.class, quantized);
    this.noise = buffer("noise", Tensor.zeros(in));
  }

  /**
   * Sets the noise and folds its product with the weight into the bias.
   *
   * @param replacement N, [in]
   */
  public void setNoise(Tensor replacement) {
    try (Scope scope = Scope.open()) {
      Tensor change = replacement.to(DType.FLOAT32).sub(noise.value());
      Parameter bias = quantized.get().bias();
      bias.copyFrom(bias.value().sub(quantized.get().weight().matmul(change)));
      noise.copyFrom(replacement);
    }
  }

  @Override
  public Tensor forward(Tensor x) {
    return quantized.get().forward(x.add(noise.value().to(x.dtype())));
  }

  /** The noise N, [in]. */
  public Tensor noise() {
    return noise.value();
  }

  /** The layer that quantizes. */
  public QuantizedLinear quantized() {
    return quantized.get();
  }
}
