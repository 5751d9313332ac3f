package dev.jformer.model.forecast;

import dev.jformer.tensor.Tensor;

/**
 * Instance normalisation of windows: each variable of each window is normalised to mean 0 and
 * deviation 1 over the past rows, and the forecast is scaled back (<a
 * href="https://arxiv.org/abs/2205.14415">Non-stationary Transformers: Exploring the Stationarity
 * in Time Series Forecasting</a>, without learned weights).
 *
 * @param mean [B, 1, C]
 * @param deviation [B, 1, C], with 1e-5 added to the variance
 */
record InstanceNorm(Tensor mean, Tensor deviation) {
  private static final double EPSILON = 1e-5;

  /** Computes the statistics of windows [B, L, C]. */
  static InstanceNorm of(Tensor past) {
    Tensor mean = past.mean(1, true);
    Tensor variance = past.sub(mean).square().mean(1, true);
    return new InstanceNorm(mean, variance.add(EPSILON).sqrt());
  }

  /** Normalises windows [B, L, C]. */
  Tensor apply(Tensor past) {
    return past.sub(mean).div(deviation);
  }

  /** Scales a forecast [B, P, C] back to that of the windows. */
  Tensor revert(Tensor forecast) {
    return forecast.mul(deviation).add(mean);
  }
}
