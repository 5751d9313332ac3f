package dev.jformer.metrics;

import dev.jformer.data.DataException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;

/**
 * Squared and absolute errors of forecasts, accumulated over batches in float64; every window has
 * the same weight, whatever the batch sizes.
 */
public final class ForecastError {
  private long windows;
  private int horizon;
  private int columns;
  private double[] squared = {};
  private double[] absolute = {};

  /**
   * Adds a batch.
   *
   * @param forecast [B, P, C]
   * @param truth [B, P, C]
   * @throws DataException if the shapes differ from each other, or P or C differs from earlier
   *     batches
   */
  public void add(Tensor forecast, Tensor truth) {
    if (forecast.rank() != 3 || !forecast.shape().equals(truth.shape())) {
      throw new DataException(
          "expected a forecast and a truth of the same shape [B, P, C], got %s and %s"
              .formatted(forecast.shape(), truth.shape()));
    }
    if (windows == 0) {
      horizon = Math.toIntExact(truth.size(1));
      columns = Math.toIntExact(truth.size(2));
      squared = new double[horizon * columns];
      absolute = new double[horizon * columns];
    } else if (truth.size(1) != horizon || truth.size(2) != columns) {
      throw new DataException(
          "expected %d steps of %d variables as before, got %s"
              .formatted(horizon, columns, truth.shape()));
    }
    try (Scope scope = Scope.open()) {
      Tensor error = forecast.detach().to(DType.FLOAT64).sub(truth.to(DType.FLOAT64));
      accumulate(squared, error.square());
      accumulate(absolute, error.abs());
    }
    windows += truth.size(0);
  }

  private static void accumulate(double[] sums, Tensor errors) {
    double[] more = errors.sum(0, false).toDoubles();
    for (int i = 0; i < sums.length; i++) {
      sums[i] += more[i];
    }
  }

  /** Number of windows added. */
  public long windows() {
    return windows;
  }

  /** The mean squared error over all windows, steps and variables; NaN if there are none. */
  public double mse() {
    return mean(squared);
  }

  /** The mean absolute error over all windows, steps and variables; NaN if there are none. */
  public double mae() {
    return mean(absolute);
  }

  /**
   * The mean squared error {@code mse}, which is the primary metric, and the mean absolute error
   * {@code mae}.
   */
  public Metrics metrics() {
    return Metrics.of(
        Metric.lower("mse", mse(), "mean squared error, standardised"),
        Metric.lower("mae", mae(), "mean absolute error, standardised"));
  }

  private double mean(double[] sums) {
    return Arrays.stream(sums).sum() / ((double) windows * horizon * columns);
  }

  /** The mean squared error of each step: P numbers. */
  public double[] mseByStep() {
    return bySteps(squared);
  }

  /** The mean absolute error of each step: P numbers. */
  public double[] maeByStep() {
    return bySteps(absolute);
  }

  /** The mean squared error of each variable: C numbers. */
  public double[] mseByColumn() {
    return byColumns(squared);
  }

  /** The mean absolute error of each variable: C numbers. */
  public double[] maeByColumn() {
    return byColumns(absolute);
  }

  private double[] bySteps(double[] sums) {
    double[] means = new double[horizon];
    for (int i = 0; i < sums.length; i++) {
      means[i / columns] += sums[i] / ((double) windows * columns);
    }
    return means;
  }

  private double[] byColumns(double[] sums) {
    double[] means = new double[columns];
    for (int i = 0; i < sums.length; i++) {
      means[i % columns] += sums[i] / ((double) windows * horizon);
    }
    return means;
  }
}
