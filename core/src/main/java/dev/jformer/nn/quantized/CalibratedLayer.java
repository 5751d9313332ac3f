package dev.jformer.nn.quantized;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * The calibration data of a linear layer, from which a range of activations is chosen.
 *
 * @param rows a sample of its inputs, float32 [N, in]
 * @param low the smallest value of all its inputs
 * @param high the largest value of all its inputs
 * @param exact the output of the original layer for the sample, without bias: [N, out]
 * @param weight the quantized weight, float32 [out, in]
 */
public record CalibratedLayer(Tensor rows, double low, double high, Tensor exact, Tensor weight) {
  /** Mean squared error of {@code rounded} rows. */
  public double error(Tensor rounded) {
    return rounded.sub(rows).square().to(DType.FLOAT64).mean().item();
  }

  /** Mean squared error of the layer's output for {@code rounded} rows. */
  public double outputError(Tensor rounded) {
    return rounded.matmul(weight.t()).sub(exact).square().to(DType.FLOAT64).mean().item();
  }
}
