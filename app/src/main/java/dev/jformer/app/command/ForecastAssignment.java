package dev.jformer.app.command;

import dev.jformer.data.series.Calendar;
import dev.jformer.data.series.NaiveForecast;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Split;
import dev.jformer.data.series.Standardizer;
import dev.jformer.data.series.Windows;
import dev.jformer.data.series.csv.SeriesCsv;
import dev.jformer.hub.Models;
import dev.jformer.metrics.ForecastError;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.forecast.Forecaster;
import dev.jformer.model.forecast.LinearForecaster;
import dev.jformer.run.Recipe;
import dev.jformer.run.SeriesData;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Forecasting;
import dev.jformer.train.Schedule;
import dev.jformer.train.Task;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/** A forecaster on the series of a CSV file. */
final class ForecastAssignment implements TrainingJob {
  /** The most numbers that are kept of errors, for bands. */
  private static final long MOST_ERRORS = 20_000_000;

  private static final int LINEAR_AVERAGE = 25;
  private static final int LINEAR_STEPS = 1000;
  private static final int LINEAR_BATCH = 32;
  private static final double LINEAR_RATE = 1e-3;

  private final Path folder;
  private final Console console;
  private final SeriesSetup setup;
  private final Series series;
  private final Split split;
  private final Tensor values;
  private final Tensor calendar;
  private final Forecaster model;
  private final Task task;

  /**
   * Reads the series and draws the model.
   *
   * @param resumed whether the series must be those that the folder's run was begun with
   */
  ForecastAssignment(Recipe recipe, Path folder, boolean resumed, Console console)
      throws IOException {
    this.folder = folder;
    this.console = console;
    SeriesData data = (SeriesData) recipe.data();
    SeriesCsv.Read read = SeriesCsv.read(Path.of(data.source()), data.csv());
    read.remarks().forEach(remark -> console.say("%s", remark));
    this.series = read.series();
    Forecaster.Config config =
        ((Forecaster.Config) recipe.model())
            .sized(series.columns(), Calendar.features(series.frequency()));
    this.split =
        data.split(series.rows()).check(series.rows(), config.lookBack(), config.horizon());
    Standardizer scale = Standardizer.of(series.slice(0, split.train()));
    List<String> constant = series.slice(0, split.train()).constant();
    if (!constant.isEmpty()) {
      console.say("constant where the model learns: %s", String.join(", ", constant));
    }
    this.setup = SeriesSetup.of(data, series, scale);
    if (resumed && SeriesSetup.exists(folder) && !SeriesSetup.load(folder).equals(setup)) {
      throw new CommandException(
          data.source()
              + " is not what the run in "
              + folder
              + " was begun with: put the old file back, or begin anew with --overwrite");
    }
    setup.save(folder);
    // These live as long as the run, in the scope around it.
    this.values = scale.apply(series.values());
    this.calendar = Calendar.of(series, 0, series.rows());
    Windows training = windows(config, 0, split.train());
    Windows validation = windows(config, split.validationFrom(), split.testFrom());
    Random.seed(recipe.training().seed());
    this.model = config.build();
    this.task =
        new Forecasting(
            model, training, validation, recipe.training().batch(), recipe.training().seed());
  }

  private Windows windows(Forecaster.Config config, int from, int to) {
    return new Windows(values, calendar, from, to, config.lookBack(), config.horizon());
  }

  @Override
  public Forecaster model() {
    return model;
  }

  @Override
  public Task task() {
    return task;
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "%s%nseries: %s, %s; %,d rows to train on, %,d to validate, %,d to test",
        model,
        setup.data().source(),
        series,
        split.train(),
        split.validation(),
        split.test());
  }

  @Override
  public String describe(Metrics metrics) {
    return String.format(Locale.ROOT, "%.4f (mean squared error, standardised)", metrics.loss());
  }

  @Override
  public void save() throws IOException {
    Models.save(model, folder);
  }

  @Override
  public String sample() {
    return null;
  }

  /** Takes the best model's errors on validation rows for bands, and reports those on test rows. */
  @Override
  public String finish() throws IOException {
    try (Scope scope = Scope.open();
        Forecaster best = (Forecaster) Models.load(folder)) {
      Forecaster.Config config = best.config();
      keepErrors(best, windows(config, split.validationFrom(), split.testFrom()));
      if (split.test() > 0) {
        report(best, windows(config, split.testFrom(), split.end()));
      }
    }
    return "jformer forecast " + folder + " --data " + setup.data().source() + " --out next.csv";
  }

  private void keepErrors(Forecaster best, Windows validation) throws IOException {
    Forecaster.Config config = best.config();
    long each = (long) config.horizon() * series.columns();
    long every = Math.max(1, Math.multiplyExact(validation.count(), each) / MOST_ERRORS);
    List<Tensor> errors = new ArrayList<>();
    long[] seen = new long[1];
    Forecasting.forEach(
        best,
        validation,
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

  private void report(Forecaster best, Windows test) {
    int horizon = best.config().horizon();
    console.say("on %,d windows of the test rows, standardised:", test.count());
    ForecastError ours = Forecasting.errors(best, test);
    say("this model", ours);
    if (!(best instanceof LinearForecaster)) {
      ForecastError linear = linear(best, test);
      say("a linear model (DLinear)", linear);
      if (linear.mse() < ours.mse()) {
        console.say("the linear model is the better one here: --set model.model=linear-forecaster");
      }
    }
    say("last value", naive(best, test, past -> NaiveForecast.lastValue(past, horizon)));
    int season = setup.season();
    if (best.config().lookBack() >= season) {
      say(
          "the value a season (" + season + " rows) before",
          naive(best, test, past -> NaiveForecast.seasonal(past, horizon, season)));
    }
  }

  /** Trains the linear model that Transformers have to beat, on the same windows. */
  private ForecastError linear(Forecaster best, Windows test) {
    Forecaster.Config like = best.config();
    LinearForecaster.Config config =
        new LinearForecaster.Config(
            like.variates(), like.calendar(), like.lookBack(), like.horizon(), LINEAR_AVERAGE);
    Windows training = windows(like, 0, split.train());
    Windows validation = windows(like, split.validationFrom(), split.testFrom());
    int steps = Math.min(LINEAR_STEPS, 10 * Forecasting.updatesPerEpoch(training, LINEAR_BATCH));
    TrainingConfig how =
        new TrainingConfig()
            .with(
                t ->
                    t.steps(steps)
                        .batch(LINEAR_BATCH)
                        .learningRate(LINEAR_RATE)
                        .schedule(new Schedule(Schedule.Shape.COSINE, 0, 0.01))
                        .optimizer(new AdamW.Config(0.9, 0.999, 1e-8, 0))
                        .clip(0)
                        .evaluateEvery(steps)
                        .checkpointEvery(steps));
    try (LinearForecaster linear = config.build();
        Trainer trainer =
            new Trainer(
                linear,
                new Forecasting(linear, training, validation, LINEAR_BATCH, 1),
                how,
                null)) {
      trainer.run();
      return Forecasting.errors(linear, test);
    }
  }

  private static ForecastError naive(
      Forecaster best, Windows test, UnaryOperator<Tensor> forecast) {
    ForecastError error = new ForecastError();
    for (int from = 0; from < test.count(); from++) {
      try (Scope scope = Scope.open()) {
        Windows.Batch batch = test.batch(new long[] {from});
        error.add(forecast.apply(batch.past()), batch.future());
      }
    }
    return error;
  }

  private void say(String name, ForecastError error) {
    console.say(
        "  %-40s mean squared error %.4f, mean absolute error %.4f",
        name, error.mse(), error.mae());
  }

  @Override
  public void close() {
    model.close();
  }
}
