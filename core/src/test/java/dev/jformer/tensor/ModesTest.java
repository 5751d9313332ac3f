package dev.jformer.tensor;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class ModesTest {
  private final Tensor leaf = Tensor.ones(2, 2).requiresGrad(true);

  private boolean records() {
    return leaf.mul(2).requiresGrad();
  }

  @Test
  void gradientsAreSwitchedOffAndOnAgain() {
    assertTrue(records() && Autograd.isEnabled());
    try (Mode off = Autograd.noGrad()) {
      assertFalse(records() || Autograd.isEnabled());
      try (Mode on = Autograd.enableGrad()) {
        assertTrue(records() && Autograd.isEnabled());
      }
      assertFalse(records());
    }
    assertTrue(records());
  }

  @Test
  void inferenceTensorsNeverTakePartInGradients() {
    Tensor made;
    try (Mode mode = Autograd.inference()) {
      made = Tensor.ones(2, 2);
      assertFalse(records());
      try (Mode ordinary = Autograd.noInference()) {
        assertTrue(records());
      }
    }
    assertTrue(records());
    assertThrows(TensorException.class, () -> made.mul(leaf));
    assertThrows(TensorException.class, () -> made.requiresGrad(true).mul(2));
  }

  @Test
  void modesEndWithExceptions() {
    for (int i = 0; i < 3; i++) {
      assertThrows(
          TensorException.class,
          () -> {
            try (Scope scope = Scope.open();
                Mode grad = Autograd.noGrad();
                Mode inference = Autograd.inference();
                Mode autocast = Autograd.autocast(DType.BFLOAT16, true)) {
              leaf.matmul(Tensor.ones(3, 3));
            }
          });
      assertTrue(records() && Autograd.isEnabled());
      assertFalse(Autograd.isAutocast());
      assertEquals(DType.FLOAT32, leaf.matmul(leaf).dtype());
      assertFalse(Tensor.ones(1).mul(leaf).isClosed(), "not an inference tensor");
    }
  }

  @Test
  void modesEndAfterTheScopeTheyWereOpenedIn() {
    Mode mode;
    try (Scope scope = Scope.open()) {
      mode = Autograd.noGrad();
    }
    assertFalse(records(), "a scope does not end a mode");
    mode.close();
    assertTrue(records());
  }

  @Test
  void autocastRunsProductsInItsType() {
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, true)) {
      assertTrue(Autograd.isAutocast());
      assertEquals(DType.BFLOAT16, leaf.matmul(leaf).dtype());
      assertEquals(DType.FLOAT32, leaf.mul(leaf).dtype());
      try (Mode off = Autograd.autocast(DType.BFLOAT16, false)) {
        assertFalse(Autograd.isAutocast());
        assertEquals(DType.FLOAT32, leaf.matmul(leaf).dtype());
      }
      assertTrue(Autograd.isAutocast());
      try (Mode half = Autograd.autocast(DType.FLOAT16, true)) {
        assertEquals(DType.FLOAT16, leaf.matmul(leaf).dtype());
      }
      assertEquals(DType.BFLOAT16, leaf.matmul(leaf).dtype());
    }
    assertEquals(DType.FLOAT32, leaf.matmul(leaf).dtype());
  }

  /** The rounded weights that autocast keeps must not survive an update. */
  @Test
  void autocastSeesUpdatedWeights() {
    Tensor x = Tensor.ones(2, 2);
    for (int i = 1; i <= 3; i++) {
      try (Mode grad = Autograd.noGrad()) {
        leaf.fill_(i);
      }
      try (Mode mode = Autograd.autocast(DType.BFLOAT16, true)) {
        assertEquals(8 * i, x.matmul(leaf).to(DType.FLOAT32).sum().item());
      }
    }
  }

  @Test
  void modesBelongToTheirThread() {
    try (Mode off = Autograd.noGrad();
        Mode autocast = Autograd.autocast(DType.BFLOAT16, true)) {
      boolean elsewhere =
          CompletableFuture.supplyAsync(() -> Autograd.isEnabled() && !Autograd.isAutocast())
              .join();
      assertTrue(elsewhere);
    }
  }

  private static Tensor attend(Tensor q, Tensor kv, Tensor mask, boolean causal) {
    return Functional.attention(q, kv, kv.mul(2), mask, causal, 0.3);
  }

  /** The fused kernel's values, and a second derivative that is a difference of the first. */
  @Test
  void secondDerivativesOfAttentionExistInTheirModeOnly() {
    for (int length : new int[] {1, 2, 63, 65, 129}) {
      Tensor q = Tensor.randn(2, 4, length, 8).to(DType.FLOAT64).requiresGrad(true);
      Tensor kv = Tensor.randn(2, 2, length, 8).to(DType.FLOAT64);
      Tensor mask = Tensor.randn(1, 1, length, length).to(DType.FLOAT64);
      Tensor towards = Tensor.randn(2, 4, length, 8).to(DType.FLOAT64);
      for (boolean causal : new boolean[] {false, true}) {
        Tensor bias = causal ? null : mask;
        Tensor fused = attend(q, kv, bias, causal);
        Tensor second;
        try (Mode mode = Autograd.secondDerivatives()) {
          assertClose(fused, attend(q, kv, bias, causal), 1e-12);
          second = second(q, kv, bias, causal, towards);
        }
        double step = 1e-5;
        Tensor above = first(q.detach().add(towards.mul(step)), kv, bias, causal);
        Tensor below = first(q.detach().sub(towards.mul(step)), kv, bias, causal);
        assertClose(above.sub(below).div(2 * step), second, 1e-6);
        assertThrows(TensorException.class, () -> second(q, kv, bias, causal, towards));
      }
    }
  }

  private static Tensor first(Tensor q, Tensor kv, Tensor mask, boolean causal) {
    Tensor leaf = q.requiresGrad(true);
    Tensor sum = attend(leaf, kv, mask, causal).square().sum();
    return Autograd.grad(sum, null, false, leaf).get(0);
  }

  /** The derivative of the gradient in a direction. */
  private static Tensor second(Tensor q, Tensor kv, Tensor mask, boolean causal, Tensor towards) {
    Tensor sum = attend(q, kv, mask, causal).square().sum();
    Tensor gradient = Autograd.grad(sum, null, true, q).get(0);
    return Autograd.grad(gradient.mul(towards).sum(), null, false, q).get(0);
  }

  @Test
  void modesAreOfOneThread() {
    try (Mode twice = Autograd.secondDerivatives()) {
      assertTrue(Autograd.isTwice());
      assertFalse(CompletableFuture.supplyAsync(Autograd::isTwice).join());
      try (Mode inner = Autograd.secondDerivatives()) {
        assertTrue(Autograd.isTwice());
      }
      assertTrue(Autograd.isTwice());
    }
    assertFalse(Autograd.isTwice());
  }
}
