package dev.jformer.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class AuxiliaryTest {
  @Test
  void theInnermostListenerHears() {
    Tensor weight = Tensor.ones(1).requiresGrad(true);
    assertFalse(Auxiliary.isHeard());
    Auxiliary.loss(weight.sum());
    Auxiliary.figure(
        "unheard",
        () -> {
          throw new AssertionError("computed although no one listens");
        });
    try (Auxiliary outer = Auxiliary.listen()) {
      Auxiliary.loss(weight.sum().mul(3.0));
      try (Auxiliary inner = Auxiliary.listen()) {
        Auxiliary.loss(weight.sum().mul(5.0));
        Auxiliary.figure("load", () -> 2);
        Auxiliary.figure("load", () -> 4);
        assertEquals(5, inner.addTo(Tensor.scalar(0)).item());
        assertEquals(Map.of("load", 3.0), inner.figures());
      }
      assertTrue(Auxiliary.isHeard());
      Auxiliary.loss(weight.sum().mul(4.0));
      Tensor sum = outer.addTo(weight.sum());
      assertEquals(8, sum.item());
      sum.backward();
      assertEquals(8, weight.grad().item());
      assertEquals(Map.of(), outer.figures());
    }
    assertFalse(Auxiliary.isHeard());
  }

  @Test
  void tokensAreThoseOfTheInnermostModel() {
    Tensor ids = Tensor.arange(0, 3).unsqueeze(0);
    assertNull(Tokens.ids());
    try (Tokens outer = Tokens.are(ids, null)) {
      try (Tokens inner = Tokens.are(null, ids)) {
        assertNull(Tokens.ids());
        assertSame(ids, Tokens.keep());
      }
      assertSame(ids, Tokens.ids());
      assertNull(Tokens.keep());
    }
    assertNull(Tokens.ids());
  }
}
