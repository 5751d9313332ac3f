package dev.jformer.tensor;

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
}
