package dev.jformer.model.forecast;

import dev.jformer.config.Checks;
import dev.jformer.model.Model;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/** A model that forecasts several series at once from their past. */
public abstract class ForecastModel extends Model {
  /** Configuration of a forecaster. */
  public interface Config extends Model.Config {
    /** The number of variables C. */
    int variates();

    /** The number of calendar features F. */
    int calendar();

    /** The number of past rows in the input, L. */
    int lookBack();

    /** The number of rows to forecast, P. */
    int horizon();

    @Override
    ForecastModel build();

    /** Returns this configuration for other numbers of variables and calendar features. */
    Config sized(int variates, int calendar);

    /** Checks the values that all forecasters share. */
    static void check(int variates, int calendar, int lookBack, int horizon) {
      Checks.atLeast("variates", variates, 1);
      Checks.atLeast("lookBack", lookBack, 1);
      Checks.atLeast("horizon", horizon, 1);
      Checks.atLeast("calendar", calendar, 0);
    }
  }

  @Override
  public abstract Config config();

  /**
   * Computes a forecast.
   *
   * @param past [B, L, C], standardised
   * @param pastCalendar [B, L, F], features between -1/2 and 1/2
   * @param futureCalendar [B, P, F], likewise
   * @return [B, P, C]
   * @throws IllegalArgumentException if the shapes do not match the configuration
   */
  public final Tensor forecast(Tensor past, Tensor pastCalendar, Tensor futureCalendar) {
    expect("past", past, config().lookBack(), takesOtherVariates() ? -1 : config().variates());
    expect("pastCalendar", pastCalendar, config().lookBack(), config().calendar());
    expect("futureCalendar", futureCalendar, config().horizon(), config().calendar());
    return predict(past, pastCalendar, futureCalendar);
  }

  private static void expect(String name, Tensor x, int rows, int columns) {
    if (x.rank() != 3 || x.size(1) != rows || (columns >= 0 && x.size(2) != columns)) {
      throw new IllegalArgumentException(
          name
              + " is "
              + x.shape()
              + ": expected [batch x "
              + rows
              + " x "
              + (columns >= 0 ? columns : "variables")
              + "]");
    }
  }

  /** Whether the model can forecast other numbers of variables than the configured one. */
  public boolean takesOtherVariates() {
    return false;
  }

  abstract Tensor predict(Tensor past, Tensor pastCalendar, Tensor futureCalendar);

  /**
   * Computes the mean squared error of the forecast.
   *
   * @param future [B, P, C], the true values
   * @return a scalar, float32
   */
  public Tensor loss(Tensor past, Tensor pastCalendar, Tensor futureCalendar, Tensor future) {
    Tensor forecast = forecast(past, pastCalendar, futureCalendar);
    return forecast.to(DType.FLOAT32).sub(future).square().mean();
  }

  @Override
  protected String details() {
    Config config = config();
    return config.lookBack()
        + " rows to read, "
        + config.horizon()
        + " to forecast, "
        + config.variates()
        + (config.variates() == 1 ? " variable" : " variables");
  }
}
