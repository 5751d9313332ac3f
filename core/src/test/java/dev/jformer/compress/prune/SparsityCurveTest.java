package dev.jformer.compress.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class SparsityCurveTest {
  private static final List<Double> SPARSITIES = List.of(0.0, 0.2, 0.4, 0.6, 0.8);
  private static final SparsityCurve CURVE =
      new SparsityCurve(SPARSITIES, List.of(0.0, 0.002, 0.008, 0.2, 0.9));

  @Test
  void essentialSparsityIsWhereTheLossIsStillTolerated() {
    assertEquals(0.4, CURVE.essential(0.01));
    assertEquals(0.2, CURVE.essential(0.002));
    assertEquals(0.8, CURVE.essential(1));
    SparsityCurve wave = new SparsityCurve(SPARSITIES, List.of(0.0, 0.02, 0.0, 0.0, 0.9));
    assertEquals(0, wave.essential(0.01), "the first loss above counts");
    assertEquals(0, CURVE.essential(-0.1));
  }

  @Test
  void interpolatesAndExtrapolates() {
    assertEquals(0.104, CURVE.at(0.5), 1e-12);
    assertEquals(0.008, CURVE.at(0.4), 1e-12);
    assertEquals(1.25, CURVE.at(0.9), 1e-12);
  }

  @Test
  void kneeIsFarthestBelowTheLineBetweenTheEnds() {
    assertEquals(0.6, CURVE.knee(), "0.75 - 0.2 / 0.9 is the largest distance");
    assertEquals((0.7 / 0.2) / (0.2 / 0.6), CURVE.bend(), 1e-12);
    SparsityCurve flat = new SparsityCurve(SPARSITIES, List.of(0.0, 0.0, 0.0, 0.0, 1.0));
    assertEquals(5 / 1e-3, flat.bend(), 1e-6, "a flat start has a small slope, not none");
    SparsityCurve concave = new SparsityCurve(SPARSITIES, List.of(0.0, 0.8, 0.9, 0.9, 1.0));
    assertEquals(0, concave.knee());
    assertEquals(1, concave.bend());
  }

  @Test
  void isMeasuredByAFunction() {
    SparsityCurve square = SparsityCurve.of(SPARSITIES, s -> s * s);
    assertEquals(0.64, square.losses().get(4), 1e-12);
    assertThrows(IllegalArgumentException.class, () -> SparsityCurve.of(List.of(0.5, 0.2), s -> s));
    assertThrows(IllegalArgumentException.class, () -> SparsityCurve.of(List.of(0.5), s -> s));
  }
}
