package dev.jformer.metrics;

import dev.jformer.tensor.Tensor;

/**
 * The expected calibration error of a classifier: the mean distance between confidence and
 * accuracy, over bins of equal width. Predictions are added batch by batch. Paper: <a
 * href="https://arxiv.org/abs/1706.04599">On Calibration of Modern Neural Networks</a>.
 */
public final class CalibrationError {
  private static final int BINS = 15;

  private final long[] counts = new long[BINS];
  private final double[] confidence = new double[BINS];
  private final double[] right = new double[BINS];

  /**
   * Adds predictions.
   *
   * @param logits [N, labels]
   * @param targets int64 [N]
   */
  public void add(Tensor logits, Tensor targets) {
    Tensor.Ranked best = logits.softmax(1).topK(1, 1);
    double[] probabilities = best.values().toDoubles();
    double[] hits = best.indices().squeeze(1).eq(targets).toDoubles();
    for (int i = 0; i < probabilities.length; i++) {
      int bin = Math.min(BINS - 1, (int) (probabilities[i] * BINS));
      counts[bin]++;
      confidence[bin] += probabilities[i];
      right[bin] += hits[i];
    }
  }

  /** Returns the error, 0 to 1; NaN if nothing was added. */
  public double error() {
    double sum = 0;
    long total = 0;
    for (int bin = 0; bin < BINS; bin++) {
      sum += Math.abs(confidence[bin] - right[bin]);
      total += counts[bin];
    }
    return total == 0 ? Double.NaN : sum / total;
  }
}
