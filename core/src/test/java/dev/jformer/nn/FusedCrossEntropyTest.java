package dev.jformer.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.tensor.TensorException;
import dev.jformer.testing.Scoped;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses and gradients are those of the plain cross-entropy. */
@ExtendWith(Scoped.class)
class FusedCrossEntropyTest {
  private static Tensor targets(int rows, int classes) {
    long[] targets = new long[rows];
    for (int i = 0; i < rows; i++) {
      targets[i] = i % 5 == 3 ? -1 : (7L * i) % classes;
    }
    return Tensor.of(targets, rows);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 64, 65, 200})
  void equalsThePlainLoss(int rows) {
    Random.seed(3);
    Linear head = new Linear(9, 31, true, Initializer.normal(0.5));
    Tensor x = Tensor.rand(rows, 9);
    Tensor targets = targets(rows, 31);
    Tensor factor = Tensor.full(3, DType.FLOAT32);

    Tensor plainRows = x.copy();
    plainRows.requiresGrad(true);
    Functional.crossEntropy(head.forward(plainRows), targets, -1, 0).mul(factor).backward();
    Map<String, double[]> expected = gradients(head);
    head.clearGrads();

    Tensor fusedRows = x.copy();
    fusedRows.requiresGrad(true);
    Tensor loss = FusedCrossEntropy.of(head::forward, head.trained(), fusedRows, targets, 64);
    double plain = Functional.crossEntropy(head.forward(x), targets, -1, 0).item();
    assertEquals(plain, loss.item(), 1e-6);
    loss.mul(factor).backward();
    assertArrayEquals(plainRows.grad().toDoubles(), fusedRows.grad().toDoubles(), 1e-6);
    gradients(head)
        .forEach((name, found) -> assertArrayEquals(expected.get(name), found, 1e-5, name));
  }

  private static Map<String, double[]> gradients(Module module) {
    Map<String, double[]> found = new LinkedHashMap<>();
    module
        .parameters()
        .forEach(
            (name, p) -> {
              if (p.value().grad() != null) {
                found.put(name, p.value().grad().toDoubles());
              }
            });
    return found;
  }

  /** With a vocabulary of 2^17, 128 rows are held at a time. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void languageModelsLearnTheSame(boolean tied) {
    CausalLm model =
        new CausalLm.Config()
            .with(c -> c.vocab(1 << 17).length(150).tied(tied))
            .withStack(s -> s.layers(1).width(4))
            .build();
    Tensor ids = Tensor.randint(0, 1 << 17, 2, 150);
    Tensor targets = targets(300, 1 << 17).reshape(2, 150);
    Tensor plain = model.loss(ids, targets);
    plain.backward();
    Map<String, double[]> expected = gradients(model);
    model.clearGrads();
    assertTrue(second(model, ids, targets).requiresGrad());
    try (Mode fused = FusedCrossEntropy.open()) {
      Tensor loss = model.loss(ids, targets);
      assertEquals(plain.item(), loss.item(), 1e-5);
      TensorException refused =
          assertThrows(TensorException.class, () -> second(model, ids, targets));
      assertTrue(refused.getMessage().contains("fused cross-entropy"), refused.getMessage());
      loss.backward();
    }
    Map<String, double[]> found = gradients(model);
    assertEquals(expected.keySet(), found.keySet());
    assertTrue(expected.containsKey("embedding.weight"), expected.keySet().toString());
    expected.forEach((name, each) -> assertArrayEquals(each, found.get(name), 1e-7, name));
  }

  /** Asks for gradients that have gradients, which those of a loss in pieces have not. */
  private static Tensor second(CausalLm model, Tensor ids, Tensor targets) {
    Tensor weight = model.parameters().get("embedding.weight").value();
    return Autograd.grad(model.loss(ids, targets), null, true, weight).get(0);
  }

  @Test
  void frozenWeightsGetNoGradient() {
    Linear head = new Linear(4, 6, false, Initializer.normal(0.5));
    head.parameters().values().forEach(p -> p.value().requiresGrad(false));
    Tensor rows = Tensor.rand(5, 4);
    rows.requiresGrad(true);
    FusedCrossEntropy.of(head::forward, head.trained(), rows, targets(5, 6), 2).backward();
    assertTrue(gradients(head).isEmpty());
    assertEquals(20, rows.grad().elements());
  }

  @Test
  void isDifferentiatedOnceAndOnlyWhereTheModeIsOpen() {
    assertFalse(FusedCrossEntropy.isOn());
    try (Mode mode = FusedCrossEntropy.open()) {
      assertTrue(FusedCrossEntropy.isOn());
      try (Mode none = Autograd.noGrad()) {
        assertFalse(FusedCrossEntropy.isOn());
      }
    }
    Linear head = new Linear(4, 6, false, Initializer.normal(0.5));
    Tensor rows = Tensor.rand(5, 4);
    rows.requiresGrad(true);
    Tensor loss = FusedCrossEntropy.of(head::forward, head.trained(), rows, targets(5, 6), 2);
    loss.backward();
    assertThrows(TensorException.class, loss::backward);
  }
}
