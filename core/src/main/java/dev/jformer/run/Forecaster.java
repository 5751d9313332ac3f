package dev.jformer.run;

import dev.jformer.data.series.Calendar;
import dev.jformer.data.series.ConformalBands;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Standardizer;
import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;

/**
 * A trained forecaster of series. Threads may share it: one forecasts at a time, the others wait.
 *
 * <pre>{@code
 * try (Forecaster forecaster = Forecaster.load(Path.of("runs/forecast"))) {
 *   SeriesForecast next = forecaster.forecast(Path.of("sales.csv"));
 *   System.out.println(next.column("units"));
 * }
 * }</pre>
 */
public final class Forecaster implements AutoCloseable {
  private static final double COVERAGE = 0.9;

  private final ForecastModel model;
  private final SeriesSetup setup;
  private final ConformalBands bands;

  private Forecaster(ForecastModel model, SeriesSetup setup, ConformalBands bands) {
    this.model = model;
    this.setup = setup;
    this.bands = bands;
    model.train(false);
  }

  /** Loads a forecaster with bands of 90 %; see {@link #load(Path, double)}. */
  public static Forecaster load(Path folder) throws IOException {
    return load(folder, COVERAGE);
  }

  /**
   * Loads a forecaster.
   *
   * @param folder with the model and its {@code series.json}
   * @param coverage share of the future values that the bands should contain
   * @throws RunException if the folder holds another kind of model
   */
  public static Forecaster load(Path folder, double coverage) throws IOException {
    SeriesSetup setup = SeriesSetup.load(folder);
    Model loaded = Models.load(folder);
    try (Scope scope = Scope.open()) {
      ForecastModel model =
          ModelFamily.require(folder, loaded, ForecastModel.class, "a forecaster");
      ConformalBands bands = SeriesSetup.bands(folder, coverage);
      return new Forecaster(
          model,
          setup,
          bands == null ? null : new ConformalBands(coverage, bands.halfWidth().keep()));
    } catch (RuntimeException | Error e) {
      loaded.close();
      throw e;
    }
  }

  /** The number of rows that are forecast. */
  public int horizon() {
    return model.config().horizon();
  }

  /** The number of past rows that a forecast needs. */
  public int lookBack() {
    return model.config().lookBack();
  }

  /** Reads the series of a CSV file with the columns that the model was trained on. */
  public Series read(Path csv) throws IOException {
    return setup.read(csv, Progress.none());
  }

  /** Forecasts the series of a CSV file after its last row. */
  public SeriesForecast forecast(Path csv) throws IOException {
    return forecast(read(csv));
  }

  /** Forecasts series after their last row. */
  public SeriesForecast forecast(Series series) {
    return forecast(series, series.rows());
  }

  /**
   * Forecasts series from a row on, using the rows before it.
   *
   * @param row at least {@link #lookBack}, at most the number of rows
   * @throws IllegalArgumentException if there are too few rows before it
   */
  public synchronized SeriesForecast forecast(Series series, int row) {
    int first = row - lookBack();
    if (first < 0 || row > series.rows()) {
      throw new IllegalArgumentException(
          "row is "
              + row
              + " of "
              + series.rows()
              + ": expected at least "
              + lookBack()
              + ", the number of past rows that the model needs, and at most the number of rows");
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Standardizer scale = setup.scale();
      Tensor past = scale.apply(series.slice(first, row)).unsqueeze(0);
      Tensor forecast =
          model
              .forecast(past, calendar(series, first, row), calendar(series, row, row + horizon()))
              .squeeze(0);
      List<LocalDateTime> times = new ArrayList<>();
      for (int step = 0; step < horizon(); step++) {
        times.add(series.time(row + step));
      }
      return new SeriesForecast(
          series.names(),
          times,
          rows(scale.revert(forecast.to(DType.FLOAT64))),
          bands == null ? List.of() : rows(scale.revert(bands.lower(forecast).to(DType.FLOAT64))),
          bands == null ? List.of() : rows(scale.revert(bands.upper(forecast).to(DType.FLOAT64))));
    }
  }

  private Tensor calendar(Series series, int from, int to) {
    Tensor features = Calendar.of(series, from, to).unsqueeze(0);
    if (features.size(2) != model.config().calendar()) {
      throw new IllegalArgumentException(
          "rows every "
              + series.frequency()
              + " have "
              + features.size(2)
              + " calendar features, but the model was made for "
              + model.config().calendar());
    }
    return features;
  }

  private static List<List<Double>> rows(Tensor values) {
    double[] numbers = values.toDoubles();
    int columns = (int) values.size(1);
    List<List<Double>> rows = new ArrayList<>();
    for (int from = 0; from < numbers.length; from += columns) {
      List<Double> row = new ArrayList<>();
      for (int c = 0; c < columns; c++) {
        row.add(numbers[from + c]);
      }
      rows.add(List.copyOf(row));
    }
    return List.copyOf(rows);
  }

  /** Releases the model. */
  @Override
  public synchronized void close() {
    model.close();
    if (bands != null) {
      bands.halfWidth().close();
    }
  }
}
