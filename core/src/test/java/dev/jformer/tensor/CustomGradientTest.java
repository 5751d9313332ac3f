package dev.jformer.tensor;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class CustomGradientTest {
  /** x y, each element, with gradients of its own. */
  private static Tensor product(Tensor x, Tensor y) {
    Tensor result;
    try (Mode mode = Autograd.noGrad()) {
      result = x.mul(y);
    }
    return Autograd.withGradient(
        "product",
        result,
        (g, operands) -> List.of(g.mul(operands.get(1)), g.mul(operands.get(0))),
        x,
        y);
  }

  @Test
  void takesPartInAGraphLikeAnyOperator() {
    Tensor x = Tensor.randn(3, 4).to(DType.FLOAT64).requiresGrad(true);
    Tensor y = Tensor.randn(3, 4).to(DType.FLOAT64).requiresGrad(true);
    Tensor theirs = x.exp().mul(y).mul(x).square().add(y).sum();
    List<Tensor> expected = Autograd.grad(theirs, null, false, x, y);
    Tensor ours = product(product(x.exp(), y), x).square().add(y).sum();
    assertClose(theirs, ours, 1e-12);
    List<Tensor> some =
        Autograd.grad(product(product(x.exp(), y), x).square().sum(), null, false, x);
    assertClose(expected.get(0), some.get(0), 1e-12);
    ours.backward();
    assertClose(expected.get(0), x.grad(), 1e-12);
    assertClose(expected.get(1), y.grad(), 1e-12);
  }

  @Test
  void leavesOutOperandsWithoutGradient() {
    Tensor x = Tensor.randn(5).requiresGrad(true);
    Tensor y = Tensor.randn(5);
    product(x, y).sum().backward();
    assertClose(y, x.grad(), 0);
    assertNull(y.grad());
    try (Mode mode = Autograd.noGrad()) {
      assertEquals(false, product(x, y).requiresGrad());
    }
    assertEquals(false, product(y, y).requiresGrad());
  }

  @Test
  void holdsNothingOnceItIsDone() {
    int before = CustomGradient.live();
    Tensor x = Tensor.randn(8).requiresGrad(true);
    try (Scope scope = Scope.open()) {
      product(product(x, x), x).sum().backward();
      assertEquals(before, CustomGradient.live());
      product(x, x);
      assertTrue(CustomGradient.live() > before);
    }
    assertEquals(before, CustomGradient.live());
  }

  @Test
  void outlivesTheScopeItsOperandsWereMadeIn() {
    Tensor x = Tensor.randn(6).requiresGrad(true);
    Tensor y = Scope.tidy(() -> product(x.mul(2), x.mul(3)));
    System.gc();
    y.sum().backward();
    assertClose(x.detach().mul(12), x.grad(), 1e-5);
  }

  @Test
  void refusesWhatWouldGiveWrongGradients() {
    Tensor x = Tensor.ones(2).requiresGrad(true);
    Tensor y = Tensor.ones(2);
    Tensor changed = product(x, y).sum();
    y.add_(1);
    TensorException e = assertThrows(TensorException.class, changed::backward);
    assertTrue(e.getMessage().contains("operand 1 was changed in place"), e.getMessage());
    Tensor twice = product(x, y).sum();
    e = assertThrows(TensorException.class, () -> Autograd.grad(twice, null, true, x));
    assertTrue(e.getMessage().contains("no second derivative"), e.getMessage());
    Tensor again = product(x, y).sum();
    again.backward();
    product(x, y);
    assertThrows(TensorException.class, again::backward);
  }

  @Test
  void manyThreadsMayUseIt() throws Exception {
    Thread[] threads = new Thread[3];
    boolean[] right = new boolean[threads.length];
    for (int i = 0; i < threads.length; i++) {
      int n = i;
      threads[i] =
          new Thread(
              () -> {
                try (Scope scope = Scope.open()) {
                  Tensor x = Tensor.full(n, DType.FLOAT32, 4).requiresGrad(true);
                  for (int k = 0; k < 50; k++) {
                    x.clearGrad();
                    product(x, x).sum().backward();
                  }
                  right[n] = Arrays.equals(x.grad().toFloats(), x.detach().mul(2).toFloats());
                }
              });
      threads[i].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertTrue(right[0] && right[1] && right[2]);
  }
}
