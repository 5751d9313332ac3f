package dev.jformer.nn;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.function.UnaryOperator;

/** Functions applied to each element. */
public enum Activation {
  /** Gaussian error linear unit, exact (arXiv 1606.08415). */
  GELU(Functional::gelu),
  /** The tanh approximation of {@link #GELU}, as in GPT-2. */
  GELU_TANH(Functional::geluTanh),
  /** {@code max(0, x)}. */
  RELU(Tensor::relu),
  /** {@code max(0, x)²}, from Primer (arXiv 2109.08668). */
  SQUARED_RELU(x -> x.relu().square()),
  /** {@code x * sigmoid(x)}, also called swish (arXiv 1702.03118). */
  SILU(Functional::silu),
  /** The logistic function. */
  SIGMOID(Tensor::sigmoid),
  /** Hyperbolic tangent. */
  TANH(Tensor::tanh),
  /** No activation. */
  IDENTITY(x -> x);

  private final UnaryOperator<Tensor> function;

  Activation(UnaryOperator<Tensor> function) {
    this.function = function;
  }

  /** Applies the function to each element. */
  public Tensor apply(Tensor x) {
    return function.apply(x);
  }
}
