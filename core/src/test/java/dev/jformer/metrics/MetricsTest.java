package dev.jformer.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private static final Metrics SCORES =
      Metrics.ofLoss(0.21, "nats").with(Metric.higher(Metric.ACCURACY, 0.93, ""));

  @Test
  void valuesAreFoundByName() {
    assertEquals(0.93, SCORES.get("accuracy"));
    assertEquals("loss", SCORES.primary().name());
    assertTrue(SCORES.find("bleu").isEmpty());
    assertEquals("loss 0.2100 nats, accuracy 0.9300", SCORES.toString());
    String message =
        assertThrows(IllegalArgumentException.class, () -> SCORES.get("bleu")).getMessage();
    assertEquals("there is no metric 'bleu': there are loss, accuracy", message);
  }

  @Test
  void eachMetricKnowsWhichWayIsBetter() {
    assertTrue(SCORES.primary().isBetterThan(0.22));
    assertFalse(SCORES.primary().isBetterThan(0.21));
    assertTrue(SCORES.primary().isAtLeast(0.21));
    Metric accuracy = SCORES.find("accuracy").orElseThrow();
    assertTrue(accuracy.isBetterThan(0.92));
    assertFalse(accuracy.isAtLeast(0.94));
    assertFalse(Metric.higher("bleu", Double.NaN, "").isBetterThan(0));
  }

  @Test
  void theLossIsTheOneOfThatNameOrThePrimaryError() {
    assertEquals(0.21, SCORES.under(Metric.higher("bleu", 30, "of 100")).loss());
    assertEquals(0.5, Metrics.of(Metric.lower("mse", 0.5, "")).loss());
    assertTrue(Double.isNaN(Metrics.of(Metric.higher("bleu", 30, "of 100")).loss()));
  }

  @Test
  void needsAtLeastOneAndEachNameOnce() {
    assertThrows(IllegalArgumentException.class, () -> new Metrics(List.of()));
    assertThrows(
        IllegalArgumentException.class, () -> SCORES.with(Metric.lower("accuracy", 1, "")));
  }
}
