package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ScopeTest {
  @Test
  void closingReleasesWhatWasMadeInside() {
    Tensor inside;
    Tensor kept;
    try (Scope scope = Scope.open()) {
      inside = Tensor.ones(3);
      kept = Tensor.ones(3).keep();
    }
    assertTrue(inside.isClosed());
    assertFalse(kept.isClosed());
    assertEquals(3, kept.sum().item());
    kept.close();
    assertTrue(kept.isClosed());
  }

  @Test
  void scopesNest() {
    try (Scope outer = Scope.open()) {
      Tensor a = Tensor.ones(1);
      Tensor b;
      try (Scope inner = Scope.open()) {
        b = a.add(1);
        assertEquals(2, b.item());
      }
      assertTrue(b.isClosed());
      assertFalse(a.isClosed());
      Tensor c = a.add(2);
      assertEquals(3, c.item());
    }
  }

  @Test
  void tidyHandsItsResultToTheSurroundingScope() {
    Tensor result;
    Tensor[] between = new Tensor[1];
    try (Scope scope = Scope.open()) {
      result =
          Scope.tidy(
              () -> {
                between[0] = Tensor.ones(2);
                return between[0].add(1);
              });
      assertTrue(between[0].isClosed());
      assertFalse(result.isClosed());
      assertEquals(4, result.sum().item());
    }
    assertTrue(result.isClosed(), "the surrounding scope releases it");
  }

  @Test
  void tidyLeavesTensorsOfOthersAlone() {
    try (Scope outer = Scope.open()) {
      Tensor kept = Tensor.ones(2).keep();
      Tensor ours = Tensor.ones(2);
      try (Scope scope = Scope.open()) {
        assertEquals(2, Scope.tidy(() -> kept).sum().item());
        assertEquals(2, Scope.tidy(() -> ours).sum().item());
      }
      assertFalse(kept.isClosed(), "kept by its owner");
      assertFalse(ours.isClosed(), "belongs to the outer scope");
      kept.close();
    }
  }

  @Test
  void tidyWithoutSurroundingScopeKeepsItsResult() {
    Tensor result = Scope.tidy(() -> Tensor.ones(2).mul(3));
    assertEquals(6, result.sum().item());
    result.close();
    assertTrue(result.isClosed());
  }

  @Test
  void exceptionsReleaseToo() {
    Tensor[] made = new Tensor[1];
    assertThrows(
        TensorException.class,
        () ->
            Scope.tidy(
                () -> {
                  made[0] = Tensor.ones(2);
                  return made[0].reshape(3);
                }));
    assertTrue(made[0].isClosed());
    try (Scope scope = Scope.open()) {
      assertEquals(1, Tensor.ones(1).item(), "the failed scope is not the innermost one any more");
    }
  }

  @Test
  void viewsAndGradientsOutliveTheTensorTheyShareMemoryWith() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensor.of(new double[] {1, 2, 3});
      Tensor view = x.narrow(0, 1, 2);
      x.close();
      assertEquals(5, view.sum().item());
      Tensor leaf = Tensor.of(new double[] {1, 2}).requiresGrad(true);
      Tensor loss;
      try (Scope step = Scope.open()) {
        loss = leaf.square().sum().keep();
      }
      loss.backward();
      loss.close();
      assertEquals(6, leaf.grad().sum().item());
    }
  }

  @Test
  void tensorsOfListsAndPairsBelongToTheScope() {
    List<Tensor> parts;
    Tensor.Ranked ranked;
    try (Scope scope = Scope.open()) {
      Tensor x = Tensor.arange(0, 6);
      parts = x.chunk(2, 0);
      ranked = x.topK(2, 0);
      parts.get(0).keep();
      ranked.indices().keep();
    }
    assertTrue(parts.get(1).isClosed() && ranked.values().isClosed());
    assertEquals(3, parts.get(0).sum().item());
    assertEquals(9, ranked.indices().sum().item());
    parts.get(0).close();
    ranked.indices().close();
  }

  @Test
  void aScopeIsItsThreadsOwn() {
    try (Scope scope = Scope.open()) {
      Tensor other = CompletableFuture.supplyAsync(() -> Tensor.ones(2).keep()).join();
      scope.close();
      assertEquals(2, other.sum().item());
      other.close();
    }
  }
}
