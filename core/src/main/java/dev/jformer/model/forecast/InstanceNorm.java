package dev.jformer.model.forecast;

import dev.jformer.tensor.Tensor;

/**
 * Instance normalisation of windows: each variable of each window is taken to mean 0 and deviation
 * 1 over the rows that are seen, and the forecast back (non-stationary Transformers, arXiv
 * 2205.14415, without learned weights).
 *
 * @param mean [B, 1, C]
 * @param deviation [B, 1, C], with 1e-5 added to the variance
 */
record InstanceNorm(Tensor mean, Tensor deviation) {
  private static final double EPSILON = 1e-5;

  /** Of windows [B, L, C]. */
  static InstanceNorm of(Tensor past) {
    Tensor mean = past.mean(1, true);
    Tensor variance = past.sub(mean).square().mean(1, true);
    return new InstanceNorm(mean, variance.add(EPSILON).sqrt());
  }

  /** [B, L, C] as seen by a model. */
  Tensor apply(Tensor past) {
    return past.sub(mean).div(deviation);
  }

  /** A model's forecast [B, P, C] in the window's own scale. */
  Tensor revert(Tensor forecast) {
    return forecast.mul(deviation).add(mean);
  }
}
