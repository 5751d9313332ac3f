package dev.jformer.run;

import dev.jformer.config.Configs;
import dev.jformer.data.series.NaiveForecast;
import dev.jformer.data.series.Windows;
import dev.jformer.hub.Models;
import dev.jformer.metrics.ForecastError;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.model.forecast.LinearForecaster;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Forecasting;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * The final evaluation of a forecaster: its errors on validation rows, stored for prediction bands,
 * and its errors on test rows beside those of a linear model and of forecasts without training.
 *
 * @param training windows to train on
 * @param validation windows to select the best weights on
 * @param test windows to report errors on
 */
record ForecastComparison(
    Function<ForecastModel.Config, Windows> training,
    Function<ForecastModel.Config, Windows> validation,
    Function<ForecastModel.Config, Windows> test) {
  /** The largest number of errors that are stored for prediction bands. */
  private static final long MOST_ERRORS = 20_000_000;

  private static final int LINEAR_AVERAGE = 25;
  private static final int LINEAR_STEPS = 1000;
  private static final int LINEAR_BATCH = 32;

  Map<String, Metrics> run(Path folder, int season, int columns, boolean tested)
      throws IOException {
    try (Scope scope = Scope.open();
        ForecastModel best = (ForecastModel) Models.load(folder)) {
      keepErrors(folder, best, columns);
      return tested ? compare(best, season) : Map.of();
    }
  }

  private void keepErrors(Path folder, ForecastModel best, int columns) throws IOException {
    ForecastModel.Config config = best.config();
    Windows windows = validation.apply(config);
    long each = (long) config.horizon() * columns;
    long every = Math.max(1, Math.multiplyExact(windows.count(), each) / MOST_ERRORS);
    List<Tensor> errors = new ArrayList<>();
    long[] seen = new long[1];
    Forecasting.forEach(
        best,
        windows,
        (batch, forecast) -> {
          Tensor error = forecast.sub(batch.future());
          for (long row = 0; row < error.size(0); row++) {
            if (seen[0]++ % every == 0) {
              errors.add(error.narrow(0, row, 1).copy().keep());
            }
          }
        });
    try {
      SeriesSetup.saveErrors(folder, Tensor.cat(0, errors.toArray(Tensor[]::new)));
    } finally {
      errors.forEach(Tensor::close);
    }
  }

  private Map<String, Metrics> compare(ForecastModel best, int season) {
    Windows windows = test.apply(best.config());
    int horizon = best.config().horizon();
    Map<String, Metrics> results = new LinkedHashMap<>();
    results.put("this model", Forecasting.errors(best, windows).metrics());
    if (!(best instanceof LinearForecaster)) {
      results.put("a linear model (DLinear)", linear(best.config(), windows));
    }
    results.put("last value", naive(windows, past -> NaiveForecast.lastValue(past, horizon)));
    if (best.config().lookBack() >= season) {
      results.put(
          "the value a season (" + season + " rows) before",
          naive(windows, past -> NaiveForecast.seasonal(past, horizon, season)));
    }
    return results;
  }

  /** Trains a linear baseline on the same windows. */
  private Metrics linear(ForecastModel.Config like, Windows windows) {
    LinearForecaster.Config config =
        new LinearForecaster.Config(
            like.variates(), like.calendar(), like.lookBack(), like.horizon(), LINEAR_AVERAGE);
    Windows learned = training.apply(like);
    int steps = Math.min(LINEAR_STEPS, 10 * Forecasting.updatesPerEpoch(learned, LINEAR_BATCH));
    TrainingConfig how =
        Configs.parse(
            """
            {"steps": %1$d, "batch": %2$d, "learningRate": 1e-3, "clip": 0, "seed": 1,
             "schedule": {"shape": "cosine", "warmup": 0, "floor": 0.01},
             "optimizer": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0},
             "evaluateEvery": %1$d, "checkpointEvery": %1$d}
            """
                .formatted(steps, LINEAR_BATCH),
            TrainingConfig.class);
    try (LinearForecaster linear = config.build();
        Trainer trainer =
            new Trainer(
                linear,
                new Forecasting(linear, learned, validation.apply(like), LINEAR_BATCH, 1),
                how,
                null)) {
      trainer.run();
      return Forecasting.errors(linear, windows).metrics();
    }
  }

  private static Metrics naive(Windows windows, UnaryOperator<Tensor> forecast) {
    ForecastError error = new ForecastError();
    for (int from = 0; from < windows.count(); from++) {
      try (Scope scope = Scope.open()) {
        Windows.Batch batch = windows.batch(new long[] {from});
        error.add(forecast.apply(batch.past()), batch.future());
      }
    }
    return error.metrics();
  }
}
