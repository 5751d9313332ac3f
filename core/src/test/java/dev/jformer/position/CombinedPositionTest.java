package dev.jformer.position;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class CombinedPositionTest {
  private static Position build(Position.Config first, Position.Config second) {
    return new CombinedPosition.Config(first, second).build(8, 2, 4, 200);
  }

  @Test
  void bothActInTheirOrder() {
    Position.Config learned = new LearnedPosition.Config();
    Position both = build(learned, new Sinusoidal.Config(100, true));
    Position sinusoidal = new Sinusoidal.Config(100, true).build(8, 2, 4, 200);
    Tensor x = Tensor.randn(2, 130, 8);
    Tensor table = both.parameters().get("first.weight").value().detach();
    Tensor expected = sinusoidal.embed(x.add(table.narrow(0, 3, 130)), 3);
    assertClose(expected, both.embed(x, 3), 1e-6);
    Position rotated = build(new Rope.Config(10), new Rope.Config(1000));
    Tensor q = Tensor.randn(1, 2, 65, 4);
    Tensor once = new Rope.Config(10).build(8, 2, 4, 200).rotate(q, 7);
    assertClose(new Rope.Config(1000).build(8, 2, 4, 200).rotate(once, 7), rotated.rotate(q, 7), 0);
  }

  @Test
  void biasesAreAdded() {
    Tensor alibi = new Alibi.Config().build(8, 2, 4, 200).bias(2, 64, 66, false);
    Position twice = build(new Alibi.Config(), new Alibi.Config());
    assertClose(alibi.mul(2), twice.bias(2, 64, 66, false), 0);
    assertClose(alibi, build(new Rope.Config(), new Alibi.Config()).bias(2, 64, 66, false), 0);
    assertClose(
        alibi, build(new Alibi.Config(), new NoPosition.Config()).bias(2, 64, 66, false), 0);
    assertEquals(null, build(new Rope.Config(), new NoPosition.Config()).bias(0, 3, 3, true));
  }

  @Test
  void itReachesAsFarAsBoth() {
    assertTrue(build(new Rope.Config(), new Alibi.Config()).extrapolates());
    assertFalse(build(new Rope.Config(), new LearnedPosition.Config()).extrapolates());
    Position.Config read =
        Configs.parse(
            "{\"type\":\"combined\",\"second\":{\"type\":\"alibi\"}}", Position.Config.class);
    assertEquals(
        new CombinedPosition.Config(new LearnedPosition.Config(), new Alibi.Config()), read);
    assertThrows(
        IllegalArgumentException.class, () -> new CombinedPosition.Config(new Rope.Config(), null));
  }
}
