package dev.jformer.studies.trial;

import dev.jformer.data.series.Calendar;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Split;
import dev.jformer.data.series.Standardizer;
import dev.jformer.data.series.Windows;
import dev.jformer.metrics.ForecastError;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.run.ForecastingJob;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.SeriesData;
import dev.jformer.run.Training;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Forecasting;
import dev.jformer.train.Listener;
import dev.jformer.train.Schedule;
import dev.jformer.train.TrainingConfig;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;
import java.util.function.DoubleConsumer;
import java.util.function.UnaryOperator;

/**
 * A trial that trains a forecaster: it learns from windows of the training rows, stops early by the
 * error on validation rows, and reports the error on test rows. Values are standardised by the
 * training rows.
 *
 * @param model configuration of the model; variables and calendar are set to those of the series
 * @param split of the rows
 * @param epochs maximum number of passes through the training windows
 * @param mostSteps maximum number of updates
 * @param learningRate the highest; it decays along a cosine to a hundredth
 * @param trained columns to train on; null for all
 * @param tested columns to report errors of; null for {@code trained}
 */
@RecordBuilder
public record ForecastTrial(
    ForecastModel.Config model,
    Split split,
    int epochs,
    int mostSteps,
    double learningRate,
    List<String> trained,
    List<String> tested)
    implements ForecastTrialBuilder.With {
  private static final int BATCH = 32;
  private static final int EVALUATIONS = 8;

  /** Minimum number of updates between evaluations, which are slow with a long look-back. */
  private static final int FEWEST_STEPS = 25;

  private static final int PATIENCE = 3;

  /**
   * The result of the training.
   *
   * @param mse mean squared error on test rows at the lowest validation error
   * @param mae mean absolute error on test rows at the lowest validation error
   * @param validation mean squared errors on validation rows during training
   * @param steps number of updates
   * @param seconds of training, without evaluations
   * @param parameters number of weights
   */
  public record Result(
      double mse,
      double mae,
      List<Double> validation,
      long steps,
      double seconds,
      long parameters) {}

  /** Creates a trial on all columns. */
  public ForecastTrial(
      ForecastModel.Config model, Split split, int epochs, int mostSteps, double learningRate) {
    this(model, split, epochs, mostSteps, learningRate, null, null);
  }

  /** Returns this trial with another maximum number of updates. */
  public ForecastTrial withMost(int steps) {
    return withMostSteps(steps);
  }

  /** Returns this trial with other columns for training and testing. */
  public ForecastTrial withColumns(List<String> learned, List<String> asked) {
    return with(trial -> trial.trained(learned).tested(asked));
  }

  /** Standardised rows, to be cut into windows. */
  private record Rows(Tensor values, Tensor calendar, ForecastModel.Config config, Split split) {
    Windows windows(int from, int to) {
      return new Windows(values, calendar, from, to, config.lookBack(), config.horizon());
    }

    Windows test() {
      return windows(split.testFrom(), split.end());
    }
  }

  private Rows rows(Series series, List<String> columns, ForecastModel.Config config) {
    Series chosen = columns == null ? series : series.select(columns);
    Standardizer scale = Standardizer.of(chosen.slice(0, split.train()));
    Tensor calendar = Calendar.of(series, 0, series.rows());
    return new Rows(scale.apply(chosen), calendar, config, split);
  }

  private ForecastModel.Config sized(Series series) {
    return model.sized(
        trained == null ? series.columns() : trained.size(), Calendar.features(series.frequency()));
  }

  /**
   * Trains once for each seed from 1, and saves the results.
   *
   * @param name of the trial; unique in the study
   */
  public List<Result> learn(ExperimentContext context, Series series, String name, int seeds) {
    return context.learn(name, on(series), seeds);
  }

  /** Returns a trial of this on a series. */
  public Trial<Result> on(Series series) {
    return Trial.of(
        Result.class,
        session -> run(series, session.seed(), done -> session.progress().at(done, "")));
  }

  /** Trains with a seed. */
  public Result run(Series series, long seed, DoubleConsumer progress) {
    ForecastModel.Config config = sized(series);
    Series learned = trained == null ? series : series.select(trained);
    try (PreparedData data = ForecastingJob.of(learned, split)) {
      Windows asked = rows(series, tested == null ? trained : tested, config).test();
      Diary diary = new Diary(asked);
      TrainingResult result =
          TrialTraining.run(
              Training.of(
                  new Recipe(model, new SeriesData(), training(series, config, seed)), data),
              ForecastModel.class,
              (done, detail) -> progress.accept(done),
              diary::of,
              (built, found) -> found);
      return new Result(
          diary.best.mse(),
          diary.best.mae(),
          result.validation().stream().map(TrainingResult.Point::loss).toList(),
          result.steps(),
          result.seconds(),
          result.parameters());
    }
  }

  private TrainingConfig training(Series series, ForecastModel.Config config, long seed) {
    Windows windows = rows(series, trained, config).windows(0, split.train());
    int steps = Math.min(mostSteps, epochs * Forecasting.updatesPerEpoch(windows, BATCH));
    int every = Math.max(FEWEST_STEPS, steps / EVALUATIONS);
    return new TrainingConfig()
        .with(
            t ->
                t.steps(steps)
                    .batch(BATCH)
                    .learningRate(learningRate)
                    .schedule(new Schedule(Schedule.Shape.COSINE, 0, 0.01))
                    .optimizer(new AdamW.Config(0.9, 0.999, 1e-8, 0))
                    .clip(0)
                    .evaluateEvery(every)
                    .checkpointEvery(steps)
                    .patience(PATIENCE)
                    .seed(seed));
  }

  /** Measures the test errors of the best model so far. */
  private static final class Diary {
    private final Windows test;
    private ForecastError best;

    Diary(Windows test) {
      this.test = test;
    }

    Listener of(ForecastModel model) {
      return new Listener() {
        @Override
        public void evaluation(Evaluation evaluation) {
          if (evaluation.isBest()) {
            best = Forecasting.errors(model, test);
          }
        }
      };
    }
  }

  /** Returns the errors of a forecast without training, on the same test windows. */
  public Result of(Series series, UnaryOperator<Tensor> forecast) {
    Windows test = rows(series, tested == null ? trained : tested, model).test();
    ForecastError error = new ForecastError();
    for (int from = 0; from < test.count(); from += BATCH) {
      long[] chosen = new long[Math.min(BATCH, test.count() - from)];
      for (int i = 0; i < chosen.length; i++) {
        chosen[i] = from + (long) i;
      }
      try (Scope scope = Scope.open()) {
        Windows.Batch batch = test.batch(chosen);
        error.add(forecast.apply(batch.past()), batch.future());
      }
    }
    return new Result(error.mse(), error.mae(), List.of(), 0, 0, 0);
  }
}
