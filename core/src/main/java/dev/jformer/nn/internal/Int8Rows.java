package dev.jformer.nn.internal;

import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Int8;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A matrix of 8-bit integers with a scale for each row: the largest absolute value of a row over
 * 127 (absmax).
 *
 * @param values int8 [N, K]
 * @param scale float32 [N]
 */
public record Int8Rows(Parameter values, Parameter scale) {
  /** Creates a matrix of zeros. */
  public static Int8Rows zeros(long rows, long width) {
    if (width > Int8.LONGEST) {
      throw new IllegalArgumentException(
          "a row of "
              + width
              + " values is longer than "
              + Int8.LONGEST
              + ": the sum of its 8-bit products may not fit 32 bits");
    }
    return new Int8Rows(
        Parameter.buffer(Tensor.zeros(DType.INT8, rows, width)),
        Parameter.buffer(Tensor.zeros(rows)));
  }

  /** Rounds a matrix [N, K] and stores it. */
  public void quantize(Tensor matrix) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor exact = finite(matrix).to(DType.FLOAT64);
      Tensor step = exact.abs().max(1, true).mul(1.0 / Int8.LEVELS);
      Tensor divisor = step.where(step.gt(0), Tensor.ones(1).to(DType.FLOAT64));
      scale.copyFrom(step.squeeze(1));
      values.copyFrom(exact.div(divisor).round());
    }
  }

  /** Checks that all values are finite; returns the matrix without gradients. */
  public static Tensor finite(Tensor matrix) {
    Tensor plain = matrix.detach();
    if (!plain.isFinite().all()) {
      throw new IllegalArgumentException(
          "a weight "
              + plain.shape()
              + " holds numbers that are not finite: the model is damaged and cannot be"
              + " quantized");
    }
    return plain;
  }

  /** The matrix of the integers' values, [N, K] of a type. */
  public Tensor dequantized(DType dtype) {
    return values.value().to(dtype).mul(scale.value().to(dtype).unsqueeze(1));
  }
}
