package dev.jformer.nn;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.function.UnaryOperator;

/** Functions applied to each element. */
public enum Activation {
  /**
   * Gaussian error linear unit, exact (<a href="https://arxiv.org/abs/1606.08415">Gaussian Error
   * Linear Units (GELUs)</a>).
   */
  GELU(Functional::gelu),
  /** The tanh approximation of {@link #GELU}, as in GPT-2. */
  GELU_TANH(Functional::geluTanh),
  /** {@code max(0, x)}. */
  RELU(Tensor::relu),
  /**
   * {@code max(0, x)²}, from Primer (<a href="https://arxiv.org/abs/2109.08668">Primer: Searching
   * for Efficient Transformers for Language Modeling</a>).
   */
  SQUARED_RELU(x -> x.relu().square()),
  /**
   * {@code x * sigmoid(x)}, also called swish (<a
   * href="https://arxiv.org/abs/1702.03118">Sigmoid-Weighted Linear Units for Neural Network
   * Function Approximation in Reinforcement Learning</a>).
   */
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
