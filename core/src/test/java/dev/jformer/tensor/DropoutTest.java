package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DropoutTest {
  @Test
  void keepsTheShareAndTheMeanAndDropsIndependently() {
    int n = 1_000_003; // no multiple of the four elements that share a draw
    for (double p : new double[] {0.1, 0.5, 0.9}) {
      try (Scope scope = Scope.open()) {
        Random.seed(11);
        float[] kept = Functional.dropout(Tensor.ones(n), p, true).toFloats();
        double zeros = 0;
        double pairs = 0;
        double far = 0;
        for (int i = 0; i < n; i++) {
          zeros += kept[i] == 0 ? 1 : 0;
          pairs += i > 0 && kept[i] == 0 && kept[i - 1] == 0 ? 1 : 0;
          far += i > 3 && kept[i] == 0 && kept[i - 4] == 0 ? 1 : 0;
          assertTrue(kept[i] == 0 || Math.abs(kept[i] - 1 / (1 - p)) < 1e-3, "value " + kept[i]);
        }
        double deviation = Math.sqrt(p * (1 - p) / n);
        assertEquals(p, zeros / n, 5 * deviation);
        double both = Math.sqrt(p * p * (1 - p * p) / n);
        assertEquals(p * p, pairs / n, 8 * both);
        assertEquals(p * p, far / n, 8 * both);
      }
    }
  }

  @Test
  void gradientPassesWhereTheValueDid() {
    try (Scope scope = Scope.open()) {
      Random.seed(3);
      Tensor x = Tensor.randn(7, 9).requiresGrad(true);
      Tensor y = Functional.dropout(x, 0.3, true);
      y.sum().backward();
      float[] values = y.toFloats();
      float[] gradients = x.grad().toFloats();
      float[] inputs = x.toFloats();
      for (int i = 0; i < values.length; i++) {
        assertEquals(values[i], inputs[i] * gradients[i], 1e-6);
      }
    }
  }

  @Test
  void isTheIdentityOutsideOfTraining() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensor.randn(5);
      assertSame(x, Functional.dropout(x, 0.5, false));
      assertSame(x, Functional.dropout(x, 0, true));
    }
  }
}
