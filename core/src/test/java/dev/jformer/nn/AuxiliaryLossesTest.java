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
class AuxiliaryLossesTest {
  @Test
  void theInnermostListenerHears() {
    Tensor weight = Tensor.ones(1).requiresGrad(true);
    assertFalse(AuxiliaryLosses.isCollecting());
    AuxiliaryLosses.loss(weight.sum());
    AuxiliaryLosses.metric(
        "unheard",
        () -> {
          throw new AssertionError("computed although no one listens");
        });
    try (AuxiliaryLosses outer = AuxiliaryLosses.collect()) {
      AuxiliaryLosses.loss(weight.sum().mul(3.0));
      try (AuxiliaryLosses inner = AuxiliaryLosses.collect()) {
        AuxiliaryLosses.loss(weight.sum().mul(5.0));
        AuxiliaryLosses.metric("load", () -> 2);
        AuxiliaryLosses.metric("load", () -> 4);
        assertEquals(5, inner.addTo(Tensor.scalar(0)).item());
        assertEquals(Map.of("load", 3.0), inner.metrics());
      }
      assertTrue(AuxiliaryLosses.isCollecting());
      AuxiliaryLosses.loss(weight.sum().mul(4.0));
      Tensor sum = outer.addTo(weight.sum());
      assertEquals(8, sum.item());
      sum.backward();
      assertEquals(8, weight.grad().item());
      assertEquals(Map.of(), outer.metrics());
    }
    assertFalse(AuxiliaryLosses.isCollecting());
  }

  @Test
  void tokensAreThoseOfTheInnermostModel() {
    Tensor ids = Tensor.arange(0, 3).unsqueeze(0);
    assertNull(SequenceContext.ids());
    try (SequenceContext outer = SequenceContext.open(ids, null)) {
      try (SequenceContext inner = SequenceContext.open(null, ids)) {
        assertNull(SequenceContext.ids());
        assertSame(ids, SequenceContext.paddingMask());
      }
      assertSame(ids, SequenceContext.ids());
      assertNull(SequenceContext.paddingMask());
    }
    assertNull(SequenceContext.ids());
  }
}
