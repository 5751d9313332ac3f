package dev.jformer.app.command;

import dev.jformer.data.series.Calendar;
import dev.jformer.data.series.ConformalBands;
import dev.jformer.data.series.NaiveForecast;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Standardizer;
import dev.jformer.io.AtomicFile;
import dev.jformer.metrics.Coverage;
import dev.jformer.metrics.ForecastError;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.run.SeriesSetup;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.report.Report;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer forecast}. */
@Command(
    name = "forecast",
    header = "Continue the time series of a CSV file",
    description =
        """
        Writes a CSV file with the rows that a trained forecaster expects next, prediction bands
        whose width follows from the model's errors on validation rows, and a report with figures.
        """,
    footer =
        """
        Examples:
          jformer train --task forecast --data sales.csv \\
              --horizon 28 --look-back 84 --out runs/sales
          jformer forecast runs/sales --data sales.csv --out next.csv
              Writes next.csv, and next.html with figures (next-1.svg and so on).
          jformer forecast runs/sales --data sales.csv --out back.csv --backtest 20
              Forecasts the last 20 horizons, each from the rows before it, and compares the
              forecasts with the rows that followed.
        """)
final class ForecastCommand implements Callable<Integer> {
  private static final int HISTORIES = 2;
  private static final int MOST_FIGURES = 12;

  @Parameters(paramLabel = "MODEL", description = "The folder of a forecaster.")
  private Path folder;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "CSV",
      description = "The series, with the columns that the model was trained on.")
  private Path data;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "CSV",
      description = "The CSV file to write the forecast to.")
  private Path out;

  @Option(
      names = "--coverage",
      paramLabel = "SHARE",
      description =
          "Share of future values that the bands should contain (default ${DEFAULT-VALUE}).")
  private double coverage = 0.9;

  @Option(
      names = "--backtest",
      paramLabel = "N",
      description = "Forecast the last N horizons instead, each from the rows before it.")
  private int backtest;

  @Mixin private QuietOption progress;

  @Override
  public Integer call() throws Exception {
    Console console = progress.console();
    if (!(coverage > 0 && coverage < 1)) {
      throw new CommandException(
          "--coverage is " + coverage + ": expected a share between 0 and 1");
    }
    if (backtest < 0) {
      throw new CommandException("--backtest is " + backtest + ": expected at least 1");
    }
    SeriesSetup setup = SeriesSetup.load(folder);
    try (Scope scope = Scope.open();
        ForecastModel model = ModelFolder.load(folder, ForecastModel.class, "forecaster")) {
      Series series = setup.read(data, console);
      int needed = model.config().lookBack() + backtest * model.config().horizon();
      if (series.rows() < needed) {
        throw new CommandException(
            data
                + " has "
                + series.rows()
                + " rows: expected at least "
                + needed
                + " to forecast from");
      }
      ConformalBands bands = SeriesSetup.bands(folder, coverage);
      Job job = new Job(model, setup.scale(), series, bands);
      List<Forecast> forecasts = new ArrayList<>();
      for (int back = backtest; back >= (backtest == 0 ? 0 : 1); back--) {
        forecasts.add(job.from(series.rows() - back * model.config().horizon()));
      }
      Path place = out.toAbsolutePath().getParent();
      Files.createDirectories(place);
      write(forecasts, series, bands != null);
      Evidence report = report(forecasts, job, setup);
      Report.write(report, place);
      console.say("%s", Report.text(report).strip());
      console.say("forecast: %s, report: %s", out, place.resolve(report.slug() + ".html"));
    }
    return 0;
  }

  /**
   * A forecast in the user's units.
   *
   * @param from the row it begins with
   * @param values [P, C]
   * @param lower [P, C]; null if there are no bands
   * @param upper [P, C]; null if there are no bands
   */
  private record Forecast(int from, Tensor values, Tensor lower, Tensor upper) {}

  private record Job(ForecastModel model, Standardizer scale, Series series, ConformalBands bands) {
    /** What comes from this row on, from the rows before it. */
    Forecast from(int row) {
      ForecastModel.Config config = model.config();
      int first = row - config.lookBack();
      try (Mode mode = Autograd.noGrad()) {
        model.train(false);
        Tensor past = scale.apply(series.slice(first, row).values()).unsqueeze(0);
        Tensor forecast =
            model
                .forecast(past, calendar(first, row), calendar(row, row + config.horizon()))
                .squeeze(0);
        return new Forecast(
            row,
            scale.revert(forecast),
            bands == null ? null : scale.revert(bands.lower(forecast)),
            bands == null ? null : scale.revert(bands.upper(forecast)));
      }
    }

    private Tensor calendar(int from, int to) {
      Tensor features = Calendar.of(series, from, to).unsqueeze(0);
      if (features.size(2) != model.config().calendar()) {
        throw new CommandException(
            "rows every "
                + series.frequency()
                + " have "
                + features.size(2)
                + " calendar features, but the model was made for "
                + model.config().calendar());
      }
      return features;
    }
  }

  private void write(List<Forecast> forecasts, Series series, boolean banded) throws IOException {
    StringBuilder text = new StringBuilder("time");
    for (String name : series.names()) {
      String quoted = quoted(name);
      text.append(',').append(quoted);
      if (banded) {
        text.append(',')
            .append(quoted(name + " lower"))
            .append(',')
            .append(quoted(name + " upper"));
      }
    }
    text.append('\n');
    for (Forecast forecast : forecasts) {
      double[] values = forecast.values().toDoubles();
      double[] lower = banded ? forecast.lower().toDoubles() : null;
      double[] upper = banded ? forecast.upper().toDoubles() : null;
      for (int step = 0; step < forecast.values().size(0); step++) {
        text.append(series.time(forecast.from() + step));
        for (int c = 0; c < series.columns(); c++) {
          int at = step * series.columns() + c;
          text.append(',').append((float) values[at]);
          if (banded) {
            text.append(',').append((float) lower[at]).append(',').append((float) upper[at]);
          }
        }
        text.append('\n');
      }
    }
    AtomicFile.write(out, text.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static String quoted(String name) {
    boolean plain = name.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
    return plain ? name : '"' + name.replace("\"", "\"\"") + '"';
  }

  // ---- Report

  private Evidence report(List<Forecast> forecasts, Job job, SeriesSetup setup) {
    Series series = job.series();
    Forecast last = forecasts.get(forecasts.size() - 1);
    List<Figure> figures = new ArrayList<>();
    for (int c = 0; c < Math.min(MOST_FIGURES, series.columns()); c++) {
      figures.add(figure(series, last, c));
    }
    List<Table> tables = new ArrayList<>();
    if (backtest > 0) {
      tables.add(errors(forecasts, job, setup));
    } else {
      tables.add(summary(series, last));
    }
    String slug = out.getFileName().toString().replaceAll("\\.[A-Za-z]+$", "");
    LocalDateTime from = series.time(last.from());
    return new Evidence(
        slug,
        (backtest > 0 ? "Backtest of " : "Forecast of ") + data.getFileName(),
        "",
        "jformer forecast MODEL --data " + data.getFileName() + " --out " + out.getFileName(),
        Version.here(),
        Machine.here(),
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        0,
        String.format(
            Locale.ROOT,
            "%d rows every %s from %s on%s.",
            last.values().size(0),
            series.frequency(),
            from,
            last.lower() == null
                ? ""
                : ", with bands of "
                    + Math.round(100 * coverage)
                    + " % by the errors on validation rows"),
        List.of(),
        tables,
        figures,
        List.of());
  }

  private Figure figure(Series series, Forecast forecast, int column) {
    int horizon = (int) forecast.values().size(0);
    int first = Math.max(0, forecast.from() - HISTORIES * horizon);
    int known = Math.min(series.rows(), forecast.from() + horizon);
    List<Double> rows = IntStream.range(first, known).mapToObj(r -> at(forecast, r)).toList();
    List<Double> seen =
        IntStream.range(first, known).mapToObj(r -> (double) series.value(r, column)).toList();
    List<Double> steps =
        IntStream.range(0, horizon).mapToObj(s -> at(forecast, forecast.from() + s)).toList();
    List<Figure.Series> lines = new ArrayList<>();
    lines.add(Figure.Series.line("what was measured", rows, seen));
    lines.add(Figure.Series.line("forecast", steps, column(forecast.values(), column)));
    if (forecast.lower() != null) {
      lines.add(
          Figure.Series.band(
              Math.round(100 * coverage) + " % band",
              steps,
              column(forecast.lower(), column),
              column(forecast.upper(), column)));
    }
    return new Figure(
        series.names().get(column),
        "rows from " + series.time(forecast.from()),
        series.names().get(column),
        false,
        false,
        lines);
  }

  private static double at(Forecast forecast, int row) {
    return row - (double) forecast.from();
  }

  private static List<Double> column(Tensor values, int column) {
    double[] numbers = values.select(1, column).toDoubles();
    return java.util.Arrays.stream(numbers).boxed().toList();
  }

  private static Table summary(Series series, Forecast forecast) {
    List<List<String>> rows = new ArrayList<>();
    for (int c = 0; c < series.columns(); c++) {
      double[] values = forecast.values().select(1, c).toDoubles();
      rows.add(
          Table.row(
              series.names().get(c),
              (double) series.value(forecast.from() - 1, c),
              values[0],
              values[values.length - 1],
              java.util.Arrays.stream(values).average().orElse(Double.NaN)));
    }
    return new Table(
        "What comes next",
        List.of("variable", "last measured", "first forecast", "last forecast", "mean forecast"),
        rows);
  }

  /** Errors in standardised units, beside those of the baselines. */
  private static Table errors(List<Forecast> forecasts, Job job, SeriesSetup setup) {
    ForecastModel.Config config = job.model().config();
    int horizon = config.horizon();
    ForecastError model = new ForecastError();
    ForecastError last = new ForecastError();
    ForecastError seasonal = new ForecastError();
    Coverage covered = new Coverage();
    boolean season = config.lookBack() >= setup.season();
    for (Forecast forecast : forecasts) {
      Series series = job.series();
      Tensor truth = rows(job, forecast.from(), forecast.from() + horizon);
      Tensor past = rows(job, forecast.from() - config.lookBack(), forecast.from());
      model.add(job.scale().apply(forecast.values()).unsqueeze(0), truth);
      last.add(NaiveForecast.lastValue(past, horizon), truth);
      if (season) {
        seasonal.add(NaiveForecast.seasonal(past, horizon, setup.season()), truth);
      }
      if (forecast.lower() != null) {
        Tensor came = series.slice(forecast.from(), forecast.from() + horizon).values();
        covered.add(
            forecast.lower().unsqueeze(0), forecast.upper().unsqueeze(0), came.unsqueeze(0));
      }
    }
    List<List<String>> rows = new ArrayList<>();
    boolean banded = forecasts.get(0).lower() != null;
    rows.add(
        Table.row("this model", model.mse(), model.mae(), banded ? 100 * covered.share() : ""));
    rows.add(Table.row("last value", last.mse(), last.mae(), ""));
    if (season) {
      rows.add(Table.row("the value a season before", seasonal.mse(), seasonal.mae(), ""));
    }
    return new Table(
        forecasts.size() + " forecasts of what came since, standardised",
        List.of("forecast", "mean squared error", "mean absolute error", "within the bands (%)"),
        rows);
  }

  private static Tensor rows(Job job, int from, int to) {
    return job.scale().apply(job.series().slice(from, to).values()).unsqueeze(0);
  }
}
