package dev.jformer.metrics;

import dev.jformer.data.DataException;
import dev.jformer.tensor.Tensor;

/** The pinball loss, which is least for the forecast of a quantile. */
public final class QuantileLoss {
  private QuantileLoss() {}

  /**
   * The pinball loss: the mean of {@code max(q · e, (q - 1) · e)} with {@code e = truth -
   * forecast}, differentiable. At q = 0.5 it is half the mean absolute error.
   *
   * @param forecast of any shape
   * @param truth of the same shape
   * @param quantile q, between 0 and 1
   * @return a scalar
   */
  public static Tensor of(Tensor forecast, Tensor truth, double quantile) {
    if (!(quantile > 0 && quantile < 1)) {
      throw new DataException("quantile is " + quantile + ": expected it between 0 and 1");
    }
    if (!forecast.shape().equals(truth.shape())) {
      throw new DataException(
          "expected a forecast and a truth of the same shape, got %s and %s"
              .formatted(forecast.shape(), truth.shape()));
    }
    Tensor error = truth.sub(forecast);
    return error.mul(quantile).maximum(error.mul(quantile - 1)).mean();
  }
}
