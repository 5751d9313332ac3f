package dev.jformer.nn.quantized;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * What a linear layer was given while calibrating, beside its weight before and after that was
 * quantized: what a range of activations is chosen by.
 *
 * @param rows a sample of the vectors it was given, float32 [N, in]
 * @param low the smallest number it was given, those outside of the sample too
 * @param high the largest
 * @param exact the output of the layer as it was, without its bias, for the sample: [N, out]
 * @param weight what is multiplied with from now on, float32 [out, in]
 */
public record CalibratedLayer(Tensor rows, double low, double high, Tensor exact, Tensor weight) {
  /** Mean squared error of the rows when they are {@code rounded} to these. */
  public double error(Tensor rounded) {
    return rounded.sub(rows).square().to(DType.FLOAT64).mean().item();
  }

  /** Mean squared error of the layer's output when the rows are {@code rounded} to these. */
  public double outputError(Tensor rounded) {
    return rounded.matmul(weight.t()).sub(exact).square().to(DType.FLOAT64).mean().item();
  }
}
