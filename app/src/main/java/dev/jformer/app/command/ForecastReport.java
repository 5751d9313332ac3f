package dev.jformer.app.command;

import dev.jformer.data.series.NaiveForecast;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Standardizer;
import dev.jformer.metrics.Coverage;
import dev.jformer.metrics.ForecastError;
import dev.jformer.run.SeriesForecast;
import dev.jformer.run.SeriesSetup;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.evidence.Table;
import dev.jformer.tensor.Tensor;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The report of {@code jformer forecast}: figures of the last forecast, and a table.
 *
 * @param setup the scale of the columns, and the season
 * @param series the data
 * @param lookBack rows that the model reads
 * @param coverage share of future values that the bands should contain
 * @param forecasts at least one
 */
record ForecastReport(
    SeriesSetup setup,
    Series series,
    int lookBack,
    double coverage,
    List<ForecastReport.Forecast> forecasts) {
  private static final int HISTORIES = 2;
  private static final int MOST_FIGURES = 12;

  /**
   * A forecast in the user's units.
   *
   * @param from the row it begins with
   */
  record Forecast(int from, SeriesForecast values) {
    int horizon() {
      return values.times().size();
    }

    boolean isBanded() {
      return !values.lower().isEmpty();
    }

    /** How far a row is from the first that is forecast. */
    double at(int row) {
      return row - (double) from;
    }
  }

  /**
   * The report.
   *
   * @param backtest whether the rows that were forecast are known
   */
  Evidence evidence(Path data, Path out, boolean backtest) {
    Forecast last = forecasts.get(forecasts.size() - 1);
    String bands =
        last.isBanded()
            ? ", with bands of "
                + Math.round(100 * coverage)
                + " % from the errors on validation rows"
            : "";
    return new Evidence(
        out.getFileName().toString().replaceAll("\\.[A-Za-z]+$", ""),
        (backtest ? "Backtest of " : "Forecast of ") + data.getFileName(),
        "",
        "jformer forecast MODEL --data " + data.getFileName() + " --out " + out.getFileName(),
        Version.here(),
        Machine.here(),
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        0,
        String.format(
            Locale.ROOT,
            "%d rows every %s from %s on%s.",
            last.horizon(),
            series.frequency(),
            series.time(last.from()),
            bands),
        List.of(),
        List.of(backtest ? errors() : summary(last)),
        IntStream.range(0, Math.min(MOST_FIGURES, series.columns()))
            .mapToObj(column -> figure(last, column))
            .toList(),
        List.of());
  }

  private Figure figure(Forecast forecast, int column) {
    int first = Math.max(0, forecast.from() - HISTORIES * forecast.horizon());
    int known = Math.min(series.rows(), forecast.from() + forecast.horizon());
    List<Double> rows = IntStream.range(first, known).mapToObj(forecast::at).toList();
    List<Double> seen =
        IntStream.range(first, known).mapToObj(r -> series.value(r, column)).toList();
    List<Double> steps =
        IntStream.range(0, forecast.horizon())
            .mapToObj(step -> forecast.at(forecast.from() + step))
            .toList();
    List<Figure.Series> lines = new ArrayList<>();
    lines.add(Figure.Series.line("measured", rows, seen));
    lines.add(Figure.Series.line("forecast", steps, column(forecast.values().rows(), column)));
    if (forecast.isBanded()) {
      lines.add(
          Figure.Series.band(
              Math.round(100 * coverage) + " % band",
              steps,
              column(forecast.values().lower(), column),
              column(forecast.values().upper(), column)));
    }
    return new Figure(
        series.names().get(column),
        "rows from " + series.time(forecast.from()),
        series.names().get(column),
        false,
        false,
        lines);
  }

  private static List<Double> column(List<List<Double>> rows, int column) {
    return rows.stream().map(row -> row.get(column)).toList();
  }

  private Table summary(Forecast forecast) {
    List<List<String>> rows = new ArrayList<>();
    for (int c = 0; c < series.columns(); c++) {
      List<Double> values = column(forecast.values().rows(), c);
      rows.add(
          Table.row(
              series.names().get(c),
              series.value(forecast.from() - 1, c),
              values.get(0),
              values.get(values.size() - 1),
              values.stream().mapToDouble(v -> v).average().orElse(Double.NaN)));
    }
    return new Table(
        "The forecast by variable",
        List.of("variable", "last measured", "first forecast", "last forecast", "mean forecast"),
        rows);
  }

  /** Errors in standardised units, beside those of forecasts that need no model. */
  private Table errors() {
    Standardizer scale = setup.scale();
    ForecastError model = new ForecastError();
    ForecastError last = new ForecastError();
    ForecastError seasonal = new ForecastError();
    Coverage covered = new Coverage();
    boolean season = lookBack >= setup.season();
    boolean banded = forecasts.get(0).isBanded();
    for (Forecast forecast : forecasts) {
      int horizon = forecast.horizon();
      Tensor measured = series.slice(forecast.from(), forecast.from() + horizon).values();
      Tensor truth = scale.apply(measured).unsqueeze(0);
      Tensor past =
          scale
              .apply(series.slice(forecast.from() - lookBack, forecast.from()).values())
              .unsqueeze(0);
      model.add(scale.apply(tensor(forecast.values().rows())).unsqueeze(0), truth);
      last.add(NaiveForecast.lastValue(past, horizon), truth);
      if (season) {
        seasonal.add(NaiveForecast.seasonal(past, horizon, setup.season()), truth);
      }
      if (banded) {
        covered.add(
            tensor(forecast.values().lower()).unsqueeze(0),
            tensor(forecast.values().upper()).unsqueeze(0),
            measured.unsqueeze(0));
      }
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        Table.row("this model", model.mse(), model.mae(), banded ? 100 * covered.share() : ""));
    rows.add(Table.row("last value", last.mse(), last.mae(), ""));
    if (season) {
      rows.add(Table.row("the value a season before", seasonal.mse(), seasonal.mae(), ""));
    }
    return new Table(
        forecasts.size() + " forecasts beside the values that followed, standardised",
        List.of("forecast", "mean squared error", "mean absolute error", "within the bands (%)"),
        rows);
  }

  /** Rows as a tensor [P, C]. */
  private static Tensor tensor(List<List<Double>> rows) {
    int columns = rows.get(0).size();
    float[] values = new float[rows.size() * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = rows.get(i / columns).get(i % columns).floatValue();
    }
    return Tensor.of(values, rows.size(), columns);
  }
}
