package dev.jformer.compress.quantize;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.quantized.CalibratedLayer;
import dev.jformer.nn.quantized.PtqLinear;
import dev.jformer.nn.quantized.RangeRule;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.function.DoubleConsumer;

/**
 * Plain post-training quantization of the linear layers of a model's blocks, weights and
 * activations ({@link PtqLinear}): the quantizers that NoisyQuant (<a
 * href="https://arxiv.org/abs/2211.16056">NoisyQuant: Noisy Bias-Enhanced Post-Training Activation
 * Quantization for Vision Transformers</a>) is applied to. Every layer is calibrated on its inputs
 * in the exact model.
 *
 * @param weightBits bits of a weight, 2 to 8
 * @param activationBits bits of an activation, 2 to 8
 * @param symmetric whether the grid of activations is symmetric, as in the authors' code
 * @param range the rule that chooses its range
 */
@AutoService(Compression.class)
public record Ptq(int weightBits, int activationBits, boolean symmetric, RangeRule range)
    implements Compression {
  /** The most rows of a layer's input that are used. */
  static final int ROWS = 2048;

  /** Defaults: 8 bits each, ranges from the smallest to the largest value. */
  public Ptq() {
    this(8, 8, false, new RangeRule.MinMax());
  }

  /** Checks the values. */
  public Ptq {
    new PtqLinear.Config(weightBits, activationBits, symmetric, range);
  }

  @Override
  public String type() {
    return "ptq";
  }

  @Override
  public Needs needs() {
    return Needs.CALIBRATION;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    return apply(model, calibration, done -> {});
  }

  @Override
  public Model apply(Model model, CalibrationData calibration, DoubleConsumer progress) {
    return ModelRebuilder.replaced(
        type(),
        model,
        new PtqLinear.Config(weightBits, activationBits, symmetric, range),
        PtqLinear.class,
        layers -> LayerInputs.fit(type(), model, layers, calibration, ROWS, progress, this::fit));
  }

  private void fit(String name, PtqLinear layer, Linear original, CalibrationSample seen) {
    try (Scope scope = Scope.open()) {
      Tensor weight = original.weight().value().to(DType.FLOAT32);
      layer.quantizeWeight(weight);
      CalibratedLayer activations =
          new CalibratedLayer(
              seen.rows(), seen.low(), seen.high(), seen.rows().matmul(weight.t()), layer.weight());
      layer.quantizeInput(
          range.choose(activations, activationBits, symmetric),
          original.bias() == null ? null : original.bias().value());
    }
  }
}
