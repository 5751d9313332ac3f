package dev.jformer.compress.quantize;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Checks;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.quantized.CalibratedLayer;
import dev.jformer.nn.quantized.NoisyLinear;
import dev.jformer.nn.quantized.QuantizedLinear;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.DoubleConsumer;

/**
 * Adds a noisy bias to any quantization of activations, as in <a
 * href="https://arxiv.org/abs/2211.16056">NoisyQuant: Noisy Bias-Enhanced Post-Training Activation
 * Quantization for Vision Transformers</a>. It quantizes a model by a method that makes {@link
 * QuantizedLinear} layers, and adds to the input of each of them a fixed noise {@code N ~ U(-n,
 * n)}, drawn once in the shape of one token, which the bias takes away again ({@link NoisyLinear}).
 * The quantizer is not changed.
 *
 * <p>Each layer draws once from U(-1, 1); n is the value of {@code 2 steps i / candidates}, i from
 * 0 to candidates, with the least error of the layer's output on calibration data, as searched in
 * the authors' code. As 0 is among them, no layer becomes worse on that data. The error is measured
 * against the output of the original layer; the authors' code measures against that of the
 * quantized weight with exact activations, and so does not see where both errors cancel out. Their
 * code, which draws from a normal distribution where the paper says a uniform one, can also shift
 * all of N by a constant; as in the paper there is none here.
 *
 * @param quantizer the method that quantizes; its result must contain {@link QuantizedLinear}
 *     layers
 * @param candidates number of noise sizes that are tried besides 0
 * @param seed seed of the noise
 */
@AutoService(Compression.class)
public record NoisyQuant(Compression quantizer, int candidates, long seed) implements Compression {
  private static final double LARGEST = 2;

  /** Default: around plain quantization. */
  public NoisyQuant() {
    this(new Ptq());
  }

  /** Default settings around a quantizer. */
  public NoisyQuant(Compression quantizer) {
    this(quantizer, 40, 1);
  }

  /** Checks the values. */
  public NoisyQuant {
    if (quantizer == null || quantizer instanceof NoisyQuant) {
      throw new IllegalArgumentException(
          "quantizer is "
              + (quantizer == null ? "null" : "'" + quantizer.type() + "' itself")
              + ": expected a method that quantizes, such as 'ptq'");
    }
    Checks.atLeast("candidates", candidates, 1);
  }

  @Override
  public String type() {
    return "noisyquant";
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
    ModelRebuilder.expectPlain(type(), model.config());
    try (Model quantized = quantizer.apply(model, calibration)) {
      if (ModelRebuilder.all(quantized, QuantizedLinear.class).isEmpty()) {
        throw new IllegalArgumentException(
            "quantizer is '"
                + quantizer.type()
                + "', which does not quantize activations: expected a method that does,"
                + " such as 'ptq'");
      }
      return ModelRebuilder.filled(
          quantized,
          ModelRebuilder.withProjection(quantized.config(), NoisyLinear.Config::new),
          noisy -> {
            noisy.modules().forEach((name, module) -> take(quantized, name, module));
            Map<String, NoisyLinear> layers = ModelRebuilder.all(noisy, NoisyLinear.class);
            LayerInputs.fit(type(), model, layers, calibration, Ptq.ROWS, progress, this::fit);
          });
    }
  }

  /** Copies the quantized layer of the same name into a layer's child "quantized". */
  private static void take(Model from, String name, Module module) {
    if (module instanceof NoisyLinear layer) {
      Map<String, Parameter> known = from.modules().get(name).parameters();
      layer
          .quantized()
          .parameters()
          .forEach((each, parameter) -> parameter.copyFrom(known.get(each).value().detach()));
    }
  }

  private void fit(String name, NoisyLinear layer, Linear original, CalibrationSample seen) {
    try (Scope scope = Scope.open()) {
      QuantizedLinear quantized = layer.quantized();
      Tensor exact = seen.rows().matmul(original.weight().value().to(DType.FLOAT32).t());
      CalibratedLayer activations =
          new CalibratedLayer(seen.rows(), seen.low(), seen.high(), exact, quantized.weight());
      Tensor unit = unit(name, seen.rows().size(1));
      Tensor best = null;
      double least = Double.POSITIVE_INFINITY;
      for (int i = 0; i <= candidates; i++) {
        Tensor noise = unit.mul(LARGEST * quantized.step() * i / candidates);
        double error = outputError(activations, quantized, noise);
        if (best == null || error < least) {
          least = error;
          best = noise;
        }
      }
      layer.setNoise(best);
    }
  }

  /**
   * The expected error in theory: the mean of {@code (Q(x + N) - N - x)²} over {@code N ~ U(-n,
   * n)}, in closed form. Q rounds to multiples of {@code step} and clips nothing. The error of a
   * number y is its squared distance from the nearest multiple; with F its integral from 0, the
   * mean is {@code (F(x + n) - F(x - n)) / 2n}. For n = step/2 that is step²/12 for every x, so
   * noise reduces the error of numbers farther than step/√12 from the grid and increases that of
   * the others.
   *
   * @param n at least 0; with 0 the error without noise
   */
  public static double expectedError(double x, double step, double n) {
    if (!(step > 0) || !(n >= 0)) {
      throw new IllegalArgumentException(
          "step is " + step + " and n is " + n + ": expected a positive step and n of at least 0");
    }
    if (n == 0) {
      double distance = x - step * Math.rint(x / step);
      return distance * distance;
    }
    return (integral(x + n, step) - integral(x - n, step)) / (2 * n);
  }

  private static double integral(double y, double step) {
    double multiple = Math.rint(y / step);
    double distance = y - step * multiple;
    return multiple * step * step * step / 12 + distance * distance * distance / 3;
  }

  /** Mean squared error of a layer's output on calibration data under a noise. */
  private static double outputError(CalibratedLayer seen, QuantizedLinear layer, Tensor noise) {
    try (Scope scope = Scope.open()) {
      return seen.outputError(layer.rounded(seen.rows().add(noise)).sub(noise));
    }
  }

  /** Numbers from -1 to 1 that depend only on the seed and the layer's name. */
  private Tensor unit(String name, long size) {
    SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + name.hashCode());
    float[] numbers = new float[(int) size];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) (2 * random.nextDouble() - 1);
    }
    return Tensor.of(numbers);
  }
}
