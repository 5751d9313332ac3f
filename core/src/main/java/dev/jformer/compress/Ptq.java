package dev.jformer.compress;

import com.google.auto.service.AutoService;
import dev.jformer.model.Model;
import dev.jformer.nn.Activations;
import dev.jformer.nn.Linear;
import dev.jformer.nn.PtqLinear;
import dev.jformer.nn.RangeRule;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Map;
import java.util.function.DoubleConsumer;

/**
 * Plain post-training quantization of the linear layers of a model's blocks, weights and
 * activations ({@link PtqLinear}): the quantizers that NoisyQuant (arXiv 2211.16056) is put around.
 * Every layer is calibrated on what it is given in the exact model.
 *
 * @param weightBits of a weight, 2 to 8
 * @param activationBits of an activation, 2 to 8
 * @param symmetric whether the grid of activations is symmetric, as in the authors' code
 * @param range how its range is chosen
 */
@AutoService(Surgery.class)
public record Ptq(int weightBits, int activationBits, boolean symmetric, RangeRule range)
    implements Surgery {
  /** The most rows of a layer's input that are looked at. */
  static final int ROWS = 2048;

  /** 8 bits each, ranges from the smallest to the largest number. */
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
  public Model operate(Model model, Calibration calibration) {
    return operate(model, calibration, done -> {});
  }

  @Override
  public Model operate(Model model, Calibration calibration, DoubleConsumer progress) {
    Exchange.expectPlain(type(), model.config());
    PtqLinear.Config layer = new PtqLinear.Config(weightBits, activationBits, symmetric, range);
    return Exchange.filled(
        model,
        Exchange.withProjection(model.config(), plain -> layer),
        quantized -> fill(model, quantized, calibration, progress));
  }

  private void fill(
      Model model, Model quantized, Calibration calibration, DoubleConsumer progress) {
    Map<String, PtqLinear> layers = Exchange.all(quantized, PtqLinear.class);
    Map<String, Linear> originals = Exchange.linears(model, layers);
    try (LayerInputs inputs =
        LayerInputs.collect(type(), model, layers.keySet(), calibration, ROWS)) {
      Exchange.each(
          layers, progress, (name, each) -> fill(each, originals.get(name), inputs.of(name)));
    }
  }

  private void fill(PtqLinear layer, Linear original, Sample seen) {
    try (Scope scope = Scope.open()) {
      Tensor weight = original.weight().value().to(DType.FLOAT32);
      layer.quantizeWeight(weight);
      Activations activations =
          new Activations(
              seen.rows(), seen.low(), seen.high(), seen.rows().matmul(weight.t()), layer.weight());
      layer.quantizeInput(
          range.choose(activations, activationBits, symmetric),
          original.bias() == null ? null : original.bias().value());
    }
  }
}
