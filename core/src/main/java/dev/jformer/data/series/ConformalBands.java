package dev.jformer.data.series;

import dev.jformer.data.DataException;
import dev.jformer.metrics.Coverage;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * Bands around a forecast by split conformal prediction (Vovk et al.; for forecasts, <a
 * href="https://arxiv.org/abs/2010.09107">Conformal prediction for time series</a>). Their width
 * follows the errors on held-out rows, for each step and variable.
 *
 * <p>Of N absolute errors the half width is the ⌈(N + 1) · coverage⌉-th smallest. If future errors
 * and these are exchangeable, a value lies within the band with at least that probability, for any
 * model. Errors of overlapping windows are not independent and series drift, so measure the
 * coverage on test rows ({@link Coverage}).
 *
 * @param coverage the wanted probability, between 0 and 1
 * @param halfWidth [P, C], in the residuals' unit
 */
public record ConformalBands(double coverage, Tensor halfWidth) {
  /**
   * Computes bands from errors.
   *
   * @param residuals [N, P, C], of the validation part; their sign does not matter
   * @throws DataException if N is too small for the coverage; the message says how many are needed
   */
  public static ConformalBands of(Tensor residuals, double coverage) {
    if (!(coverage > 0 && coverage < 1)) {
      throw new DataException(
          "the coverage of a band is " + coverage + ": expected it between 0 and 1");
    }
    if (residuals.rank() != 3) {
      throw new DataException("expected residuals [N, P, C], got " + residuals.shape());
    }
    long n = residuals.size(0);
    long rank = (long) Math.ceil((n + 1) * coverage - 1e-9);
    if (n == 0 || rank > n) {
      throw new DataException(
          "a coverage of %s needs %d or more validation windows, got %d: hold out more rows or choose a lower coverage"
              .formatted(coverage, (long) Math.ceil(coverage / (1 - coverage) - 1e-9), n));
    }
    return new ConformalBands(
        coverage,
        Scope.tidy(
            () -> residuals.abs().sort(0, false).values().select(0, rank - 1).contiguous().copy()));
  }

  /**
   * The lower edge of the band.
   *
   * @param forecast [.., P, C]
   */
  public Tensor lower(Tensor forecast) {
    return forecast.sub(halfWidth);
  }

  /**
   * The upper edge of the band.
   *
   * @param forecast [.., P, C]
   */
  public Tensor upper(Tensor forecast) {
    return forecast.add(halfWidth);
  }
}
