package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class RandomTest {
  private static Tensor draw() {
    return Tensor.cat(
        0,
        Tensor.randn(50),
        Tensor.rand(50),
        Tensor.randint(0, 1000, 50).to(DType.FLOAT32),
        Tensor.randperm(50).to(DType.FLOAT32),
        Functional.dropout(Tensor.ones(50), 0.5, true),
        Tensor.ones(50).multinomial(50, true).to(DType.FLOAT32));
  }

  @Test
  void oneSeedGivesOneSequence() {
    Random.seed(42);
    Tensor first = draw();
    Tensor second = draw();
    Random.seed(42);
    assertTrue(first.sameAs(draw()));
    assertTrue(second.sameAs(draw()));
    Random.seed(43);
    assertFalse(first.sameAs(draw()));
  }

  @Test
  void aStateContinuesWhereItWasRead() {
    Tensor.randn(7);
    Tensor state = Random.state();
    byte[] bytes = state.toBytes();
    Tensor drawn = draw();
    Random.restore(Tensor.of(bytes).viewAs(DType.UINT8));
    assertTrue(drawn.sameAs(draw()));
    assertArrayEquals(bytes, state.toBytes(), "a state read does not change");
  }

  @Test
  void onlyStatesAreRestored() {
    assertThrows(TensorException.class, () -> Random.restore(Tensor.ones(3)));
    assertThrows(TensorException.class, () -> Random.restore(Tensor.zeros(DType.UINT8, 10)));
  }

  @Test
  void drawsHaveTheirDistribution() {
    // 40,000 draws: means are off by at most 5/200 of a deviation.
    Tensor normal = Tensor.randn(40_000);
    assertEquals(0, normal.mean().item(), 0.025);
    assertEquals(1, normal.square().mean().item(), 0.04);
    Tensor uniform = Tensor.rand(40_000);
    assertEquals(0.5, uniform.mean().item(), 0.01);
    assertTrue(uniform.min().item() >= 0 && uniform.max().item() < 1);
    Tensor integers = Tensor.randint(-2, 3, 40_000);
    assertEquals(-2, integers.min().itemLong());
    assertEquals(2, integers.max().itemLong());
    assertEquals(49 * 50 / 2, Tensor.randperm(50).sum().itemLong());
    Tensor picks = Tensor.of(new double[] {1, 0, 3}).multinomial(40_000, true);
    assertEquals(0.75, picks.eq(2).to(DType.FLOAT32).mean().item(), 0.012);
    assertFalse(picks.eq(1).any());
    Tensor all = Tensor.ones(20).multinomial(20, false);
    assertEquals(190, all.sum().itemLong());
  }
}
