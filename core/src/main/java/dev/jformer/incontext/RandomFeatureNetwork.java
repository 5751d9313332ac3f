package dev.jformer.incontext;

import dev.jformer.config.Checks;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;

/**
 * A network of one hidden layer whose hidden weights are random and stay so (<a
 * href="https://arxiv.org/abs/2008.08427">How Powerful are Shallow Neural Networks with Bandlimited
 * Random Weights?</a>); only the output is learned, by {@link RidgeRegression}. Features are
 * divided by √M.
 */
public final class RandomFeatureNetwork {
  private final Tensor weights; // [inputs, M]
  private final Tensor biases;
  private final boolean isSmooth;

  private RandomFeatureNetwork(Tensor weights, Tensor biases, boolean isSmooth) {
    this.weights = weights.keep();
    this.biases = biases.keep();
    this.isSmooth = isSmooth;
  }

  /**
   * Rectified features of normal weights, the network beside which <a
   * href="https://arxiv.org/abs/2307.11353">What can a Single Attention Layer Learn?</a> puts
   * random attention.
   *
   * @param features M
   * @param inputs numbers of an input
   */
  public static RandomFeatureNetwork rectified(int features, int inputs, long seed) {
    Checks.atLeast("features", features, 1);
    Random.seed(seed);
    return new RandomFeatureNetwork(
        Tensor.randn(inputs, features).to(DType.FLOAT64).mul(0.5),
        Tensor.randn(features).to(DType.FLOAT64).mul(0.5),
        false);
  }

  /**
   * Features tanh(⟨a, x⟩ - b) with a and b drawn evenly from a box (<a
   * href="https://arxiv.org/abs/2008.08427">How Powerful are Shallow Neural Networks with
   * Bandlimited Random Weights?</a>).
   *
   * @param features N
   * @param inputs numbers of an input
   * @param band λ: no weight is larger
   */
  public static RandomFeatureNetwork bandlimited(int features, int inputs, double band, long seed) {
    Checks.atLeast("features", features, 1);
    Checks.moreThan("band", band, 0);
    Random.seed(seed);
    return new RandomFeatureNetwork(
        Tensor.rand(inputs, features).to(DType.FLOAT64).mul(2 * band).sub(band),
        Tensor.rand(features).to(DType.FLOAT64).mul(2 * band).sub(band),
        true);
  }

  /** The features of inputs: [n, inputs] to [n, M] in float64. */
  public Tensor features(Tensor inputs) {
    Tensor before = inputs.to(DType.FLOAT64).matmul(weights).sub(biases);
    return (isSmooth ? before.tanh() : before.relu()).div(Math.sqrt((double) weights.size(1)));
  }
}
