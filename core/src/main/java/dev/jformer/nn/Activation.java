package dev.jformer.nn;

import dev.jformer.tensor.FloatMath;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.function.UnaryOperator;

/** Functions applied to each element. */
public enum Activation {
  /**
   * Gaussian error linear unit, exact (<a href="https://arxiv.org/abs/1606.08415">Gaussian Error
   * Linear Units (GELUs)</a>).
   */
  GELU(Functional::gelu, x -> 0.5f * x * (1 + FloatMath.erf(x * 0.70710677f))),
  /** The tanh approximation of {@link #GELU}, as in GPT-2. */
  GELU_TANH(
      Functional::geluTanh, x -> x * FloatMath.sigmoid(1.5957692f * x * (1 + 0.044715f * x * x))),
  /** {@code max(0, x)}. */
  RELU(Tensor::relu, x -> Math.max(0, x)),
  /**
   * {@code max(0, x)²}, from Primer (<a href="https://arxiv.org/abs/2109.08668">Primer: Searching
   * for Efficient Transformers for Language Modeling</a>).
   */
  SQUARED_RELU(x -> x.relu().square(), x -> Math.max(0, x) * Math.max(0, x)),
  /**
   * {@code x * sigmoid(x)}, also called swish (<a
   * href="https://arxiv.org/abs/1702.03118">Sigmoid-Weighted Linear Units for Neural Network
   * Function Approximation in Reinforcement Learning</a>).
   */
  SILU(Functional::silu, x -> x * FloatMath.sigmoid(x)),
  /** The logistic function. */
  SIGMOID(Tensor::sigmoid, FloatMath::sigmoid),
  /** Hyperbolic tangent. */
  TANH(Tensor::tanh, FloatMath::tanh),
  /** No activation. */
  IDENTITY(x -> x, x -> x);

  private interface OfFloat {
    float apply(float x);
  }

  private final UnaryOperator<Tensor> function;
  private final OfFloat ofFloat;

  Activation(UnaryOperator<Tensor> function, OfFloat ofFloat) {
    this.function = function;
    this.ofFloat = ofFloat;
  }

  /** Applies the function to each element. */
  public Tensor apply(Tensor x) {
    return function.apply(x);
  }

  /** Applies the function to {@code count} elements of an array, from one on, in place. */
  public void apply(float[] x, int from, int count) {
    for (int i = from; i < from + count; i++) {
      x[i] = ofFloat.apply(x[i]);
    }
  }
}
