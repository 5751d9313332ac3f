package dev.jformer.incontext;

import dev.jformer.config.Checks;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Attention whose queries and keys are random and stay so (<a
 * href="https://arxiv.org/abs/2307.11353">What can a Single Attention Layer Learn? A Study Through
 * the Random Features Lens</a>): Σₘ (1/N) Σᵢ ReLU(x₀ᵀ Wₘ x̃ᵢ) ⟨vₘ, x̃ᵢ⟩, where x̃ is x with a 1
 * behind it. Only the vₘ are learned, by {@link RidgeRegression}. There is no softmax.
 *
 * <p>Settled here: features are divided by √M, so that the penalty means the same for any M.
 */
public final class RandomFeatureAttention {
  private static final double VARIANCE = 0.25;

  private final Tensor weights; // [M, d+1, d+1]

  /**
   * Draws the weights.
   *
   * @param heads M
   * @param dimensions d of a token
   * @param isBiased whether the weights have the identity of inputs as their mean: the biased
   *     variant, which sees how similar query and key are
   */
  public RandomFeatureAttention(int heads, int dimensions, boolean isBiased, long seed) {
    Checks.atLeast("heads", heads, 1);
    Checks.atLeast("dimensions", dimensions, 1);
    Random.seed(seed);
    int size = dimensions + 1;
    Tensor drawn = Tensor.randn(heads, size, size).to(DType.FLOAT64).mul(Math.sqrt(VARIANCE));
    if (isBiased) {
      double[] mean = new double[size * size];
      for (int i = 0; i < dimensions; i++) {
        mean[i * size + i] = 1;
      }
      drawn = drawn.add(Tensor.of(mean, size, size));
    }
    weights = drawn.keep();
  }

  /** Tokens with a 1 behind each: [..., d] to [..., d+1]. */
  private static Tensor extended(Tensor tokens) {
    Tensor ones = tokens.narrow(2, 0, 1).mul(0).add(1.0);
    return Tensor.cat(2, tokens, ones);
  }

  /**
   * The features of inputs.
   *
   * @param tokens x₀ to x_N of each: [n, N+1, d]
   * @return [n, M (d+1)] in float64
   */
  public Tensor features(Tensor tokens) {
    Tensor x = extended(tokens.to(DType.FLOAT64));
    long n = x.size(0);
    long count = x.size(1) - 1;
    long heads = weights.size(0);
    Tensor query = x.narrow(1, 0, 1).squeeze(1); // [n, d+1]
    Tensor keys = x.narrow(1, 1, count); // [n, N, d+1]
    // [n, M, d+1]: the query through each head
    Tensor through = query.matmul(weights.permute(1, 0, 2).reshape(x.size(2), -1));
    Tensor scores = through.reshape(n, heads, x.size(2)).matmul(keys.transpose(1, 2)).relu();
    return scores.matmul(keys).reshape(n, -1).div(count * Math.sqrt((double) heads));
  }

  /** As {@link #features}, of some inputs at a time, to bound the memory. */
  public Tensor features(Tensor tokens, int together) {
    List<Tensor> parts = new ArrayList<>();
    for (long from = 0; from < tokens.size(0); from += together) {
      parts.add(features(tokens.narrow(0, from, Math.min(together, tokens.size(0) - from))));
    }
    return Tensor.cat(0, parts.toArray(Tensor[]::new));
  }
}
