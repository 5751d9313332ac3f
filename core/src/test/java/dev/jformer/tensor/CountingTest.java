package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class CountingTest {
  @Test
  void countsProductsFromTheirShapes() {
    Tensor x = Tensor.randn(2, 3, 5);
    assertEquals(
        2.0 * 2 * 3 * 5 * 7, Flops.of(() -> Functional.linear(x, Tensor.randn(7, 5), null)));
    assertEquals(2.0 * 2 * 3 * 5 * 4, Flops.of(() -> x.matmul(Tensor.randn(5, 4))));
    assertEquals(
        2.0 * 2 * 3 * 5 * 4, Flops.of(() -> Tensor.einsum("btd,de->bte", x, Tensor.randn(5, 4))));
    Tensor q = Tensor.randn(2, 4, 6, 8);
    double full = Flops.of(() -> Functional.attention(q, q, q, null, false, null));
    assertEquals(2.0 * 2 * 4 * 6 * 6 * 8 * 2, full);
    assertEquals(full / 2, Flops.of(() -> Functional.attention(q, q, q, null, true, null)));
    assertEquals(
        2.0 * 2 * 6 * 3 * 5,
        Flops.of(
            () -> Functional.conv1d(x.transpose(1, 2), Tensor.randn(6, 5, 1), null, 1, 0, 1, 1)));
  }

  @Test
  void countsOnlyWhatIsAskedAndNests() {
    Tensor a = Tensor.randn(4, 4);
    double[] inner = new double[1];
    double outer =
        Flops.of(
            () -> {
              a.matmul(a);
              inner[0] = Flops.of(() -> a.matmul(a));
            });
    a.matmul(a);
    assertEquals(128, inner[0]);
    assertEquals(256, outer);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void peakMemorySeesWhatWasFreedAgain() {
    long megabytes = 200;
    long peak =
        Memory.peakOf(
            () -> {
              try (Scope scope = Scope.open()) {
                Tensor.ones(megabytes << 18).sum();
              }
            });
    if (peak < 0) {
      return; // the kernel does not let this process reset its mark
    }
    assertTrue(peak > 0.95 * (megabytes << 20), "peak is " + peak);
    assertTrue(peak < 1.5 * (megabytes << 20), "peak is " + peak);
    long again = Memory.peakOf(() -> {});
    assertTrue(again < 50 << 20, "freed memory counts again: " + again);
  }
}
