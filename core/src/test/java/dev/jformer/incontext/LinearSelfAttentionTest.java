package dev.jformer.incontext;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class LinearSelfAttentionTest {
  /** The last entry of E + W_PV E (Eᵀ W_KQ E) / N, all of it computed. */
  private static double naive(double[][] e, LinearAttentionTheory.Weights weights) {
    int rows = e.length;
    int columns = e[0].length;
    double sum = e[rows - 1][columns - 1];
    for (int n = 0; n < columns; n++) {
      double score = 0;
      double value = 0;
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < rows; j++) {
          score += e[i][n] * weights.keyQuery()[i][j] * e[j][columns - 1];
        }
        value += weights.projectionValue()[rows - 1][i] * e[i][n];
      }
      sum += value * score / (columns - 1);
    }
    return sum;
  }

  private static Tensor tensor(double[]... prompt) {
    int rows = prompt.length;
    double[] flat = new double[rows * prompt[0].length];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(prompt[i], 0, flat, i * prompt[0].length, prompt[0].length);
    }
    return Tensor.of(flat, 1, rows, prompt[0].length).to(DType.FLOAT32);
  }

  @Test
  void isTheLastEntryOfTheDefinition() {
    Random random = new Random(3);
    for (int examples : new int[] {1, 2, 63, 64, 65, 200}) {
      double[][] keyQuery = new double[4][4];
      double[][] projectionValue = new double[4][4];
      for (int i = 0; i < 16; i++) {
        keyQuery[i / 4][i % 4] = random.nextGaussian();
        projectionValue[i / 4][i % 4] = random.nextGaussian();
      }
      LinearAttentionTheory.Weights weights =
          new LinearAttentionTheory.Weights(keyQuery, projectionValue);
      double[][] prompt =
          RegressionPrompts.of(new double[] {1, 2, 0.5}, examples).draw(random).columns();
      try (LinearSelfAttention layer = new LinearSelfAttention(weights)) {
        double found = layer.forward(tensor(prompt)).item();
        assertEquals(naive(prompt, weights), found, 1e-3 * (1 + Math.abs(found)));
        assertEquals(0, layer.weights().distance(weights), 1e-6);
      }
    }
  }

  @Test
  void theExactGradientEndsAtTheClosedForm() {
    for (double[] variances : new double[][] {{1, 1, 1}, {2, 1, 0.5}, {1.5, 0.3, 0.7, 1, 0.2}}) {
      LinearAttentionTheory theory = new LinearAttentionTheory(variances, 8);
      LinearAttentionTheory.Weights found = theory.descend(0.3, 0.02, 200_000);
      assertEquals(0, found.distance(theory.optimum()), 1e-2);
      assertEquals(0, found.productDistance(theory.optimum()), 1e-3);
    }
  }

  /** The gradient over many prompts, by back-propagation, is the expected one. */
  @Test
  void theExpectedGradientIsThatOfManyPrompts() {
    RegressionPrompts prompts = RegressionPrompts.of(new double[] {1.2, 0.6}, 5);
    LinearAttentionTheory theory = new LinearAttentionTheory(prompts.variances(), 5);
    int count = 400_000;
    Random random = new Random(1);
    float[] columns = new float[count * 3 * 6];
    float[] answers = new float[count];
    for (int b = 0; b < count; b++) {
      RegressionPrompts.Prompt prompt = prompts.draw(random);
      for (int i = 0; i < 18; i++) {
        columns[b * 18 + i] = (float) prompt.columns()[i / 6][i % 6];
      }
      answers[b] = (float) prompt.answer();
    }
    try (LinearSelfAttention layer = new LinearSelfAttention(2, 0.5)) {
      Tensor error = layer.forward(Tensor.of(columns, count, 3, 6)).sub(Tensor.of(answers, count));
      error.square().mean().mul(0.5).backward();
      double rate = 1e-3;
      LinearAttentionTheory.Weights before = layer.weights();
      LinearAttentionTheory.Weights after = theory.descend(0.5, rate, 1);
      float[] keyQuery = layer.parameters().get("keyQuery").value().grad().toFloats();
      float[] value = layer.parameters().get("projectionValue").value().grad().toFloats();
      for (int i = 0; i < 2; i++) {
        double expected = (before.keyQuery()[i][i] - after.keyQuery()[i][i]) / rate;
        assertEquals(expected, keyQuery[4 * i], 0.01);
      }
      double expected = (before.projectionValue()[2][2] - after.projectionValue()[2][2]) / rate;
      assertEquals(expected, value[8], 0.01);
      assertEquals(0, keyQuery[1], 0.01);
      assertEquals(0, value[6], 0.01);
    }
  }

  @Test
  void theErrorIsThatOfManyPrompts() {
    LinearAttentionTheory theory = new LinearAttentionTheory(new double[] {1, 0.5, 2}, 10);
    double[][] optimum = theory.optimum().keyQuery();
    double u = theory.optimum().projectionValue()[3][3];
    for (int examples : new int[] {2, 10, 100}) {
      for (double[] variances : new double[][] {{1, 0.5, 2}, {3, 1, 0.1}}) {
        Random random = new Random(examples);
        double error = 0;
        int count = 60_000;
        for (int b = 0; b < count; b++) {
          RegressionPrompts.Prompt prompt = RegressionPrompts.of(variances, examples).draw(random);
          double predicted = 0;
          for (int n = 0; n < examples; n++) {
            for (int i = 0; i < 3; i++) {
              predicted +=
                  u
                      * prompt.columns()[3][n]
                      * prompt.columns()[i][n]
                      * optimum[i][i]
                      * prompt.columns()[i][examples]
                      / examples;
            }
          }
          error += Math.pow(predicted - prompt.answer(), 2) / count;
        }
        assertEquals(1, error / theory.error(variances, examples), 0.05);
      }
    }
  }

  @Test
  void mixedPromptsHaveVariancesOfTheirOwn() {
    RegressionPrompts prompts = new RegressionPrompts(new double[] {1, 1}, 200, true);
    Random random = new Random(2);
    double least = Double.MAX_VALUE;
    double most = 0;
    for (int b = 0; b < 50; b++) {
      double square = 0;
      for (double x : prompts.draw(random).columns()[0]) {
        square += x * x / 201;
      }
      least = Math.min(least, square);
      most = Math.max(most, square);
    }
    assertTrue(least < 0.3 && most > 2, least + " to " + most);
  }

  @Test
  void refusesWhatMakesNoSense() {
    assertThrows(
        IllegalArgumentException.class, () -> RegressionPrompts.of(new double[] {1, 0}, 3));
    assertThrows(IllegalArgumentException.class, () -> RegressionPrompts.of(new double[] {1}, 0));
    assertThrows(IllegalArgumentException.class, () -> new LinearAttentionTheory(new double[0], 3));
  }
}
