package dev.jformer.data.series;

import dev.jformer.data.DataException;
import dev.jformer.tensor.Tensor;

/** Naive forecasts, the baselines that a model has to beat. */
public final class NaiveForecast {
  private NaiveForecast() {}

  /**
   * Repeats the last value.
   *
   * @param past [B, L, C]
   * @return [B, P, C] for a horizon of P
   */
  public static Tensor lastValue(Tensor past, int horizon) {
    return seasonal(past, horizon, 1);
  }

  /**
   * Repeats the last season: step p is the value of the last season at p modulo season.
   *
   * @param past [B, L, C]
   * @return [B, P, C] for a horizon of P
   * @throws DataException if the look-back is shorter than a season
   */
  public static Tensor seasonal(Tensor past, int horizon, int season) {
    long length = past.size(1);
    if (season < 1 || season > length || horizon < 1) {
      throw new DataException(
          ("a season of %d rows and a horizon of %d do not fit a look-back of %d: expected"
                  + " a season from 1 to the look-back, and a horizon of 1 or more")
              .formatted(season, horizon, length));
    }
    long times = (horizon - 1L) / season + 1;
    return past.narrow(1, length - season, season).repeat(1, times, 1).narrow(1, 0, horizon);
  }
}
