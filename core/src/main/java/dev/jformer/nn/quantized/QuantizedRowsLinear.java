package dev.jformer.nn.quantized;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.RowFunction;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * A linear layer [..., in] to [..., out] whose matrix has rows of few bits, and a bias of floats.
 * It cannot be trained; its input has a gradient, for adapters. A float64 input is multiplied in
 * float64, any other in float32, under autocast too.
 */
abstract class QuantizedRowsLinear extends Layer implements QuantizedWeight {
  private final Parameter weight;
  private final Parameter bias;

  /**
   * Declares {@code weight}, {@code scale} and, if there is one, {@code bias}.
   *
   * @param bias [out], or null
   */
  QuantizedRowsLinear(Parameter weight, Parameter scale, Parameter bias) {
    this.weight = weight;
    this.bias = bias;
    register("weight", weight);
    register("scale", scale);
    if (bias != null) {
      register("bias", bias);
    }
  }

  /** Creates a bias [out] of zeros, to be filled; null if none is wanted. */
  static Parameter zeros(long out, boolean wanted) {
    return wanted ? Parameter.buffer(Tensor.zeros(out)) : null;
  }

  @Override
  public final Tensor forward(Tensor x) {
    if (isTraining() && !weight.isFixed()) {
      throw new UnsupportedOperationException(
          "a layer of quantized weights cannot be trained: train the model before it is compressed,"
              + " train an adapter beside it, or switch it to inference");
    }
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
      boolean exact = x.dtype() == DType.FLOAT64;
      Tensor flat = x.detach().reshape(-1, x.size(-1)).to(exact ? x.dtype() : DType.FLOAT32);
      Tensor y = exact ? inDoubles(flat) : isTraining() ? inFloats(flat) : product(flat);
      long[] shape = x.shape().toArray();
      shape[shape.length - 1] = y.size(1);
      return Autograd.withGradient(
          "a product with quantized weights",
          y.reshape(shape),
          (gradient, operands) -> List.of(inputGradient(gradient, operands.get(0))),
          x);
    }
  }

  /** The gradient of the input x; the weights have none. */
  private Tensor inputGradient(Tensor gradient, Tensor x) {
    DType exact = x.dtype() == DType.FLOAT64 ? DType.FLOAT64 : DType.FLOAT32;
    return gradient
        .reshape(-1, gradient.size(-1))
        .to(exact)
        .matmul(matrix(exact))
        .reshape(x.shape().toArray())
        .to(x.dtype());
  }

  /** The layer's output for float32 rows [M, in]: [M, out]. */
  abstract Tensor product(Tensor x);

  /** The product of plain floats with the matrix, without the bias; null unless overridden. */
  RowFunction rowProduct() {
    return null;
  }

  @Override
  public RowFunction rowFunction() {
    RowFunction product = isTraining() ? null : rowProduct();
    return product == null ? null : product.plus(bias == null ? null : bias.value().toFloats());
  }

  /**
   * The same in training, for an adapter: the matrix is converted to floats for the product, which
   * is faster for many rows than a product of integers, and of which gradients are exact.
   */
  private Tensor inFloats(Tensor x) {
    return Scope.tidy(
        () -> {
          try (Mode mode = Autograd.noGrad()) {
            return Functional.linear(x, matrix(DType.FLOAT32), offset(DType.FLOAT32));
          }
        });
  }

  /** The same for float64 rows. */
  Tensor inDoubles(Tensor x) {
    return Functional.linear(x, matrix(DType.FLOAT64), offset(DType.FLOAT64));
  }

  /** The matrix of the rows' values, [out, in] of a type. */
  abstract Tensor matrix(DType dtype);

  /** The bias [out] of a type, or null. */
  final Tensor offset(DType dtype) {
    return bias == null ? null : bias.value().to(dtype);
  }

  @Override
  public Tensor dequantized() {
    return matrix(DType.FLOAT32);
  }

  /** The bias [out], or null. */
  public final Parameter bias() {
    return bias;
  }
}
