package dev.jformer.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class NoveltyDetectionTest {
  @Test
  void comparesTheHighestProbabilities() {
    NoveltyDetection detection = new NoveltyDetection();
    detection.addKnown(Tensor.of(new double[] {3, 0, 0, 5}, 2, 2));
    detection.addKnown(Tensor.of(new double[] {1, 0}, 1, 2));
    // One less sure than all known ones, one between them, one as sure as the surest.
    detection.addNovel(Tensor.of(new double[] {0, 0, -2, 0, 5, 0}, 3, 2));
    assertEquals((3 + 2 + 0.5) / 9, detection.auroc(), 1e-12);
    assertTrue(Double.isNaN(new NoveltyDetection().auroc()));
  }
}
