package dev.jformer.incontext;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class RandomFeatureAttentionTest {
  private static final int DIMENSIONS = 3;

  /** The definition with loops, of the same random weights. */
  private static double[] naive(double[] tokens, int count, int heads, boolean biased, long seed) {
    Random.seed(seed);
    int size = DIMENSIONS + 1;
    double[] weights = Tensor.randn(heads, size, size).to(DType.FLOAT64).toDoubles();
    double[] features = new double[heads * size];
    for (int m = 0; m < heads; m++) {
      for (int key = 1; key <= count; key++) {
        double score = 0;
        for (int i = 0; i < size; i++) {
          for (int j = 0; j < size; j++) {
            double mean = biased && i == j && i < DIMENSIONS ? 1 : 0;
            double weight = mean + 0.5 * weights[(m * size + i) * size + j];
            score += weight * token(tokens, 0, i) * token(tokens, key, j);
          }
        }
        for (int j = 0; j < size; j++) {
          features[m * size + j] +=
              Math.max(0, score) * token(tokens, key, j) / count / Math.sqrt(heads);
        }
      }
    }
    return features;
  }

  private static double token(double[] tokens, int at, int i) {
    return i == DIMENSIONS ? 1 : tokens[at * DIMENSIONS + i];
  }

  @Test
  void featuresAreThoseOfTheDefinition() {
    for (boolean biased : new boolean[] {false, true}) {
      for (int count : new int[] {1, 2, 63, 65, 129}) {
        Random.seed(count);
        Tensor tokens = Tensor.randn(5, count + 1, DIMENSIONS).to(DType.FLOAT64);
        RandomFeatureAttention attention = new RandomFeatureAttention(7, DIMENSIONS, biased, 11);
        double[] found = attention.features(tokens).toDoubles();
        double[] parts = attention.features(tokens, 2).toDoubles();
        for (int b = 0; b < 5; b++) {
          double[] expected = naive(tokens.select(0, b).toDoubles(), count, 7, biased, 11);
          for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], found[b * expected.length + i], 1e-6);
            assertEquals(expected[i], parts[b * expected.length + i], 1e-6);
          }
        }
      }
    }
  }

  /** At the solution the gradient of the penalized loss is 0, for more and for fewer rows. */
  @Test
  void ridgeRegressionHasNoGradient() {
    for (int rows : new int[] {5, 30, 200}) {
      Random.seed(rows);
      Tensor features = Tensor.randn(rows, 30).to(DType.FLOAT64);
      Tensor targets = Tensor.randn(rows).to(DType.FLOAT64);
      Tensor weights = RidgeRegression.solve(features, targets, 0.01);
      Tensor error = features.matmul(weights.unsqueeze(1)).squeeze(1).sub(targets);
      Tensor gradient =
          features.t().matmul(error.unsqueeze(1)).squeeze(1).div(rows).add(weights.mul(0.01));
      assertEquals(0, gradient.abs().max().item(), 1e-12);
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> RidgeRegression.solve(Tensor.ones(2, 2), Tensor.ones(2), 0));
  }
}
