package dev.jformer.model.forecast;

import com.google.auto.service.AutoService;
import dev.jformer.model.Model;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * DLinear, the linear baseline of <a href="https://arxiv.org/abs/2205.13504">Are Transformers
 * Effective for Time Series Forecasting?</a>: the moving average of the past and the remainder are
 * each mapped to the future by a linear layer that all variables share, and added. It takes any
 * number of variables and does not use the calendar.
 *
 * <p>The moving average repeats the first and the last value at the ends. All weights start at 1/L,
 * so that the first forecasts are means of the past.
 */
public final class LinearForecaster extends ForecastModel {
  /**
   * Configuration.
   *
   * @param variates C, number of variables
   * @param calendar F, number of calendar features
   * @param lookBack L, number of past rows
   * @param horizon P, number of rows to forecast
   * @param average width of the moving average in rows, odd
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(int variates, int calendar, int lookBack, int horizon, int average)
      implements ForecastModel.Config, LinearForecasterConfigBuilder.With {
    /** Defaults: from 96 rows to 96, with the authors' average of 25. */
    public Config() {
      this(7, 4, 96, 96, 25);
    }

    /** Checks the values. */
    public Config {
      ForecastModel.Config.check(variates, calendar, lookBack, horizon);
      if (average < 1 || average % 2 == 0) {
        throw new IllegalArgumentException("average is " + average + ": expected an odd number");
      }
    }

    @Override
    public String type() {
      return "linear-forecaster";
    }

    @Override
    public LinearForecaster build() {
      return new LinearForecaster(this);
    }

    @Override
    public Config sized(int variates, int calendar) {
      return with(c -> c.variates(variates).calendar(calendar));
    }
  }

  private final Config config;
  private final Slot<Layer> trend;
  private final Slot<Layer> rest;

  /** Creates a model, which forecasts the mean of the past until it is trained. */
  public LinearForecaster(Config config) {
    this.config = config;
    Initializer mean = Initializer.constant(1.0 / config.lookBack());
    this.trend =
        child("trend", Layer.class, new Linear(config.lookBack(), config.horizon(), true, mean));
    this.rest =
        child("rest", Layer.class, new Linear(config.lookBack(), config.horizon(), true, mean));
  }

  @Override
  public Config config() {
    return config;
  }

  @Override
  public boolean takesOtherVariates() {
    return true;
  }

  @Override
  Tensor predict(Tensor past, Tensor pastCalendar, Tensor futureCalendar) {
    Tensor x = past.transpose(1, 2);
    Tensor smooth = average(x);
    Tensor forecast = trend.get().forward(smooth).add(rest.get().forward(x.sub(smooth)));
    return forecast.transpose(1, 2);
  }

  /** Computes the moving average: [B, C, L] to [B, C, L]. */
  private Tensor average(Tensor x) {
    long length = x.size(2);
    int side = config.average() / 2;
    if (side == 0) {
      return x;
    }
    Tensor first = x.narrow(2, 0, 1).expand(x.size(0), x.size(1), side);
    Tensor last = x.narrow(2, length - 1, 1).expand(x.size(0), x.size(1), side);
    return Tensor.cat(2, first, x, last).unfold(2, config.average(), 1).mean(3, false);
  }
}
