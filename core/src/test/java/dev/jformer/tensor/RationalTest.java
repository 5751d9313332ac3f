package dev.jformer.tensor;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class RationalTest {
  @ParameterizedTest
  @CsvSource({"1,8,8", "3,24,4", "700,6,2", "5,1536,8", "2049,16,1", "0,8,2"})
  void inOnePassItIsWhatOperatorsGive(long rows, long width, long groups) {
    Tensor x = Tensor.randn(rows, width).mul(1.5).requiresGrad(true);
    Tensor a = Tensor.randn(6).requiresGrad(true);
    Tensor b = Tensor.randn(groups, 4).requiresGrad(true);
    Tensor g = Tensor.randn(rows, width);
    Tensor y = Functional.rational(x, a, b);
    Tensor[] wide = {wide(x), wide(a), wide(b)};
    Tensor expected = Rational.composed(wide[0], wide[1], wide[2]);
    assertClose(expected.to(DType.FLOAT32), y, 2e-4);
    y.backward(g);
    expected.backward(g.to(DType.FLOAT64));
    if (rows > 0) {
      assertClose(wide[0].grad().to(DType.FLOAT32), x.grad(), 2e-2);
    }
    double scale = 1 + rows;
    assertClose(wide[1].grad().div(scale).to(DType.FLOAT32), a.grad().mul(1 / scale), 1e-3);
    assertClose(wide[2].grad().div(scale).to(DType.FLOAT32), b.grad().mul(1 / scale), 1e-3);
  }

  private static Tensor wide(Tensor x) {
    return x.detach().to(DType.FLOAT64).copy().requiresGrad(true);
  }

  @Test
  void readsTensorsThatDoNotLieInARow() {
    Tensor base = Tensor.randn(8, 40);
    Tensor x = base.t().requiresGrad(true);
    Tensor a = Tensor.randn(6);
    Tensor b = Tensor.randn(2, 4);
    assertClose(Rational.composed(x.detach(), a, b), Functional.rational(x, a, b).detach(), 1e-3);
    Functional.rational(x, a, b).sum().backward();
    Tensor again = x.detach().contiguous().requiresGrad(true);
    Functional.rational(again, a, b).sum().backward();
    assertClose(again.grad(), x.grad(), 1e-6);
  }

  @Test
  void denominatorsOfZerosHaveAGradient() {
    Tensor x = Tensor.of(new float[] {2, -3}, 1, 2);
    Tensor identity = Tensor.of(new float[] {0, 1, 0, 0, 0, 0});
    Tensor b = Tensor.zeros(1, 4).requiresGrad(true);
    Functional.rational(x, identity, b).sum().backward();
    // The gradient of q is -x, that of b_k is -x x^k: for 2 and -3 together.
    assertClose(Tensor.of(new float[] {-13, 19, -97, 211}, 1, 4), b.grad(), 1e-4);
  }

  @Test
  void refusesShapesThatDoNotFit() {
    Tensor x = Tensor.randn(2, 6);
    TensorException e =
        assertThrows(
            TensorException.class,
            () -> Functional.rational(x, Tensor.zeros(6), Tensor.zeros(4, 4)));
    assertTrue(e.getMessage().contains("where G divides D"), e.getMessage());
    assertThrows(
        TensorException.class, () -> Functional.rational(x, Tensor.zeros(5), Tensor.zeros(2, 4)));
  }
}
