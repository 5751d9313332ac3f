package dev.jformer.app.command;

import dev.jformer.data.series.Series;
import dev.jformer.data.series.Times;
import dev.jformer.run.SeriesForecast;
import dev.jformer.run.SeriesSetup;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.evidence.Table;
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
  }

  /**
   * The report.
   *
   * @param backtest whether the rows that were forecast are known
   */
  Evidence evidence(Path data, Path out, boolean backtest) {
    Forecast last = forecasts.get(forecasts.size() - 1);
    Backtest test =
        backtest ? new Backtest(series, lookBack, setup.scale(), setup.season(), forecasts) : null;
    String bands =
        last.isBanded()
            ? " Bands of "
                + Math.round(100 * coverage)
                + " % follow from the errors on validation rows."
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
        (backtest ? test.summary() : summaryOf(last)) + bands,
        List.of(),
        List.of(backtest ? test.errors() : summary(last)),
        IntStream.range(0, Math.min(MOST_FIGURES, series.columns()))
            .mapToObj(column -> figure(last, column))
            .toList(),
        List.of());
  }

  private String summaryOf(Forecast forecast) {
    return String.format(
        Locale.ROOT,
        "%d rows every %s from %s on.",
        forecast.horizon(),
        series.frequency(),
        Times.text(series.time(forecast.from())));
  }

  private Figure figure(Forecast forecast, int column) {
    int first = Math.max(0, forecast.from() - HISTORIES * forecast.horizon());
    int known = Math.min(series.rows(), forecast.from() + forecast.horizon());
    List<Double> rows = IntStream.range(first, known).mapToObj(this::seconds).toList();
    List<Double> seen =
        IntStream.range(first, known).mapToObj(r -> series.value(r, column)).toList();
    List<Double> steps =
        IntStream.range(0, forecast.horizon())
            .mapToObj(step -> seconds(forecast.from() + step))
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
    String name = series.names().get(column);
    return Figure.of(name, "time", name, lines).withDates();
  }

  private double seconds(int row) {
    return Times.micros(series.time(row)) / (double) Times.MICROS;
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
}
