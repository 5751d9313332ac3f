package dev.jformer.app.command;

import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Standardizer;
import dev.jformer.data.series.csv.SeriesCsv;
import dev.jformer.data.series.csv.TimeFormat;
import dev.jformer.io.AtomicFile;
import dev.jformer.run.Forecaster;
import dev.jformer.run.SeriesForecast;
import dev.jformer.run.SeriesSetup;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.report.Report;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
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
  private static final int DIGITS = 6;

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
    OutputFile.check(out, List.of(data));
    SeriesSetup setup = SeriesSetup.load(folder);
    try (Scope scope = Scope.open();
        Forecaster model = Forecaster.load(folder, coverage)) {
      SeriesCsv.Read read = setup.readFile(data, console);
      Series series = read.series();
      int needed = model.lookBack() + backtest * model.horizon();
      if (series.rows() < needed) {
        throw new CommandException(
            data
                + " has "
                + series.rows()
                + " rows: expected at least "
                + needed
                + " to forecast from");
      }
      List<ForecastReport.Forecast> forecasts = new ArrayList<>();
      for (int back = backtest; back >= (backtest == 0 ? 0 : 1); back--) {
        int row = series.rows() - back * model.horizon();
        forecasts.add(new ForecastReport.Forecast(row, model.forecast(series, row)));
      }
      Path place = out.toAbsolutePath().getParent();
      Files.createDirectories(place);
      write(forecasts, read.times(), setup.scale());
      Evidence report =
          new ForecastReport(setup, series, model.lookBack(), coverage, forecasts)
              .evidence(data, out, backtest > 0);
      Report.write(report, place);
      console.say("%s", Report.text(report).strip());
      console.say("forecast: %s, report: %s", out, place.resolve(report.slug() + ".html"));
    }
    return 0;
  }

  /**
   * Writes a row for each time that is forecast, with the bands of each variable if there are.
   * Times are written as in the data.
   */
  private void write(List<ForecastReport.Forecast> forecasts, TimeFormat times, Standardizer scale)
      throws IOException {
    SeriesForecast first = forecasts.get(0).values();
    boolean banded = !first.lower().isEmpty();
    List<String> header = new ArrayList<>(times.columns());
    for (String name : first.columns()) {
      header.add(name);
      if (banded) {
        header.add(name + " lower");
        header.add(name + " upper");
      }
    }
    StringWriter text = new StringWriter();
    try (CsvWriter csv = CsvWriter.builder().lineDelimiter(LineDelimiter.LF).build(text)) {
      csv.writeRecord(header);
      for (ForecastReport.Forecast forecast : forecasts) {
        SeriesForecast values = forecast.values();
        for (int step = 0; step < values.times().size(); step++) {
          List<String> row = new ArrayList<>(times.texts(values.times().get(step)));
          for (int c = 0; c < values.columns().size(); c++) {
            double unit = scale.deviation()[c];
            row.add(number(values.rows().get(step).get(c), unit));
            if (banded) {
              row.add(number(values.lower().get(step).get(c), unit));
              row.add(number(values.upper().get(step).get(c), unit));
            }
          }
          csv.writeRecord(row);
        }
      }
    }
    AtomicFile.write(out, text.toString().getBytes(StandardCharsets.UTF_8));
  }

  /** A number with the digits that a forecast in float32 has: six beyond the deviation's first. */
  private static String number(double value, double deviation) {
    int decimals = DIGITS - (int) Math.floor(Math.log10(deviation));
    BigDecimal rounded =
        BigDecimal.valueOf(value).setScale(Math.max(0, decimals), RoundingMode.HALF_EVEN);
    return rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
  }
}
