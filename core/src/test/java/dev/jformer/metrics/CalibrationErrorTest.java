package dev.jformer.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import org.junit.jupiter.api.Test;

class CalibrationErrorTest {
  @Test
  void isTheMeanDistanceOfConfidenceAndAccuracyOverBins() {
    CalibrationError calibration = new CalibrationError();
    assertTrue(Double.isNaN(calibration.error()));
    try (Scope scope = Scope.open()) {
      // Ten at 90 % of which six are right, and in a later batch ten at 60 % of which six are.
      calibration.add(logits(0.9, 10), targets(10, 6));
      assertEquals(0.3, calibration.error(), 1e-6);
      calibration.add(logits(0.6, 10), targets(10, 6));
      assertEquals(0.15, calibration.error(), 1e-6);
      // In one bin what is too sure and what is too unsure cancel out.
      calibration.add(logits(0.92, 10), targets(10, 10));
      assertEquals(Math.abs(0.9 * 10 - 6 + 0.92 * 10 - 10) / 30, calibration.error(), 1e-6);
    }
  }

  private static Tensor logits(double probability, int rows) {
    double[] logits = new double[2 * rows];
    for (int i = 0; i < rows; i++) {
      logits[2 * i] = Math.log(probability / (1 - probability));
    }
    return Tensor.of(logits, rows, 2);
  }

  private static Tensor targets(int rows, int right) {
    long[] targets = new long[rows];
    for (int i = right; i < rows; i++) {
      targets[i] = 1;
    }
    return Tensor.of(targets, rows);
  }
}
