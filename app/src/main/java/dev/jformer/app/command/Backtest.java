package dev.jformer.app.command;

import dev.jformer.data.series.NaiveForecast;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Standardizer;
import dev.jformer.data.series.Times;
import dev.jformer.metrics.Coverage;
import dev.jformer.metrics.ForecastError;
import dev.jformer.run.SeriesForecast;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Table;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Forecasts of rows that are known, beside forecasts that need no model. Errors are in standardised
 * units.
 */
final class Backtest {
  private final Series series;
  private final int lookBack;
  private final int season;
  private final List<ForecastReport.Forecast> forecasts;
  private final ForecastError model = new ForecastError();
  private final ForecastError last = new ForecastError();
  private final ForecastError seasonal = new ForecastError();
  private final Coverage covered = new Coverage();

  /**
   * Compares forecasts with the rows that followed.
   *
   * @param scale of the columns
   * @param season number of rows after which the series usually repeats
   * @param forecasts at least one
   */
  Backtest(
      Series series,
      int lookBack,
      Standardizer scale,
      int season,
      List<ForecastReport.Forecast> forecasts) {
    this.series = series;
    this.lookBack = lookBack;
    this.season = season;
    this.forecasts = forecasts;
    forecasts.forEach(forecast -> compare(scale, forecast));
  }

  private void compare(Standardizer scale, ForecastReport.Forecast forecast) {
    int from = forecast.from();
    int horizon = forecast.horizon();
    SeriesForecast values = forecast.values();
    Tensor measured = series.slice(from, from + horizon).values();
    Tensor truth = scale.apply(measured).unsqueeze(0);
    Tensor past = scale.apply(series.slice(from - lookBack, from).values()).unsqueeze(0);
    model.add(scale.apply(tensor(values.rows())).unsqueeze(0), truth);
    last.add(NaiveForecast.lastValue(past, horizon), truth);
    if (hasSeason()) {
      seasonal.add(NaiveForecast.seasonal(past, horizon, season), truth);
    }
    if (forecast.isBanded()) {
      covered.add(
          tensor(values.lower()).unsqueeze(0),
          tensor(values.upper()).unsqueeze(0),
          measured.unsqueeze(0));
    }
  }

  private boolean hasSeason() {
    return lookBack >= season;
  }

  /** Rows as a tensor [P, C]. */
  private static Tensor tensor(List<List<Double>> rows) {
    int columns = rows.get(0).size();
    double[] values = new double[rows.size() * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = rows.get(i / columns).get(i % columns);
    }
    return Tensor.of(values, rows.size(), columns);
  }

  /** What was forecast, and whether the model is better than a forecast without one. */
  String summary() {
    ForecastReport.Forecast first = forecasts.get(0);
    int rows = forecasts.stream().mapToInt(ForecastReport.Forecast::horizon).sum();
    int end = first.from() + rows - 1;
    return "%d rows in %d forecasts of %d, from %s to %s. %s"
        .formatted(
            rows,
            forecasts.size(),
            first.horizon(),
            Times.text(series.time(first.from())),
            Times.text(series.time(end)),
            verdict());
  }

  private String verdict() {
    boolean isSeason = hasSeason() && seasonal.mse() < last.mse();
    String baseline = isSeason ? seasonName() : "the last value";
    double error = isSeason ? seasonal.mse() : last.mse();
    boolean better = model.mse() < error;
    return "%s is better than %s: mean squared error %s against %s%s."
        .formatted(
            better ? "This model" : baseline.replace("the ", "The "),
            better ? baseline : "this model",
            Check.number(better ? model.mse() : error),
            Check.number(better ? error : model.mse()),
            better ? "" : "; train longer or on more rows");
  }

  private String seasonName() {
    return "the value a season (" + season + " rows) before";
  }

  /** The errors of the forecasts. */
  Table errors() {
    boolean banded = forecasts.get(0).isBanded();
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        Table.row("this model", model.mse(), model.mae(), banded ? 100 * covered.share() : ""));
    rows.add(Table.row("last value", last.mse(), last.mae(), ""));
    if (hasSeason()) {
      rows.add(Table.row(seasonName(), seasonal.mse(), seasonal.mae(), ""));
    }
    return new Table(
        forecasts.size() + " forecasts beside the values that followed, standardised",
        List.of("forecast", "mean squared error", "mean absolute error", "within the bands (%)"),
        rows);
  }
}
