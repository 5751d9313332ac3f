package dev.jformer.compress.quantize;

import dev.jformer.compress.CalibrationData;
import dev.jformer.model.Model;
import dev.jformer.nn.ForwardHook;
import dev.jformer.nn.quantized.UniformGrid;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The rounding errors of a layer's activations without and with noise of half a step, which tell
 * whether {@link NoisyQuant} suits them. Errors are mean squares, in squared steps of the grid.
 *
 * @param kurtosis fourth standardised moment of the activations; 3 of a normal distribution
 * @param beyond share of the activations that are farther than {@link #EDGE} from the grid
 * @param plain error without noise
 * @param noisy error with noise
 * @param theory the error with noise by {@link NoisyQuant#expectedError}
 */
public record NoiseEffect(
    double kurtosis, double beyond, double plain, double noisy, double theory) {
  /** The distance from the grid, in steps, beyond which noise of half a step lowers the error. */
  public static final double EDGE = 1 / Math.sqrt(12);

  /** Measures activations, float32 of any shape, on a grid; the noise is drawn. */
  public static NoiseEffect of(Tensor activations, UniformGrid grid) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor x = activations.reshape(-1);
      double step = grid.scale();
      Tensor noise = Tensor.empty(DType.FLOAT32, x.elements()).uniform_(-step / 2, step / 2);
      double[] values = x.toDoubles();
      double theory = 0;
      double beyond = 0;
      for (double value : values) {
        theory += NoisyQuant.expectedError(value, step, step / 2);
        beyond += Math.abs(value - step * Math.rint(value / step)) > step * EDGE ? 1 : 0;
      }
      return new NoiseEffect(
          kurtosis(x.to(DType.FLOAT64)),
          beyond / values.length,
          grid.error(x),
          grid.error(x.add(noise)),
          theory / values.length / (step * step));
    }
  }

  /**
   * Measures the inputs of a model's layers in the first batch of some data, each on the asymmetric
   * grid from its smallest to its largest value.
   *
   * @param layers selects layers by their dotted names
   * @param bits of the grid, 2 to 8
   * @return the effects by layer, in the order in which they ran
   */
  public static Map<String, NoiseEffect> ofInputs(
      Model model, Predicate<String> layers, int bits, CalibrationData data) {
    Map<String, NoiseEffect> effects = new LinkedHashMap<>();
    try (ForwardHook hook =
        ForwardHook.on(
            model,
            layers,
            seen -> effects.computeIfAbsent(seen.layer(), name -> onRange(seen.input(), bits)))) {
      data.run(model);
    }
    return effects;
  }

  private static NoiseEffect onRange(Tensor input, int bits) {
    Tensor x = input.to(DType.FLOAT32);
    return of(x, UniformGrid.of(x.min().item(), x.max().item(), bits, false));
  }

  private static double kurtosis(Tensor x) {
    Tensor squares = x.sub(x.mean().item()).square();
    double variance = squares.mean().item();
    return squares.square().mean().item() / (variance * variance);
  }
}
