package dev.jformer.studies.trial;

import dev.jformer.data.series.Calendar;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Split;
import dev.jformer.data.series.Standardizer;
import dev.jformer.data.series.Windows;
import dev.jformer.metrics.ForecastError;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Forecasting;
import dev.jformer.train.Listener;
import dev.jformer.train.Schedule;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;
import java.util.function.UnaryOperator;

/**
 * Training a forecaster to see how well it forecasts: on windows of the training rows, stopped by
 * the error on validation rows, reported on test rows. Values are standardised by the training
 * rows.
 *
 * @param model what is trained; variables and calendar are set to the series'
 * @param split the rows
 * @param epochs the most passes through the training windows
 * @param mostSteps the most updates, where an epoch is too long
 * @param learningRate at its highest; it follows a cosine to a hundredth over the updates
 * @param trained columns the model is trained on; null for all. It is tested on {@code tested}.
 * @param tested columns errors are reported of; null for all
 */
public record ForecastTrial(
    ForecastModel.Config model,
    Split split,
    int epochs,
    int mostSteps,
    double learningRate,
    List<String> trained,
    List<String> tested) {
  private static final int BATCH = 32;
  private static final int EVALUATIONS = 8;

  /** Updates between evaluations, which cost as much as many of them with a long look-back. */
  private static final int FEWEST_STEPS = 25;

  private static final int PATIENCE = 3;

  /**
   * What came of it.
   *
   * @param mse mean squared error on test rows at the lowest validation error
   * @param mae mean absolute error there
   * @param validation mean squared errors on the way
   * @param steps updates done
   * @param seconds of training, evaluations left out
   * @param parameters number of weights
   */
  public record Result(
      double mse,
      double mae,
      List<Double> validation,
      long steps,
      double seconds,
      long parameters) {}

  /** On all columns. */
  public ForecastTrial(
      ForecastModel.Config model, Split split, int epochs, int mostSteps, double learningRate) {
    this(model, split, epochs, mostSteps, learningRate, null, null);
  }

  /** The same with fewer or more updates at most. */
  public ForecastTrial withMost(int steps) {
    return new ForecastTrial(model, split, epochs, steps, learningRate, trained, tested);
  }

  /** The same trained on some columns and tested on others. */
  public ForecastTrial withColumns(List<String> learned, List<String> asked) {
    return new ForecastTrial(model, split, epochs, mostSteps, learningRate, learned, asked);
  }

  /** Rows cut into windows. */
  private record Rows(Tensor values, Tensor calendar, ForecastModel.Config config) {
    Windows windows(int from, int to) {
      return new Windows(values, calendar, from, to, config.lookBack(), config.horizon());
    }
  }

  private Rows rows(Series series, List<String> columns, ForecastModel.Config config) {
    Series chosen = columns == null ? series : series.select(columns);
    Standardizer scale = Standardizer.of(chosen.slice(0, split.train()));
    Tensor calendar = Calendar.of(series, 0, series.rows());
    return new Rows(scale.apply(chosen.values()), calendar, config);
  }

  private ForecastModel.Config sized(Series series) {
    return model.sized(
        trained == null ? series.columns() : trained.size(), Calendar.features(series.frequency()));
  }

  /**
   * Trains once for each seed from 1, and remembers.
   *
   * @param name of what is tried; unique in the study
   */
  public List<Result> learn(ExperimentContext lab, Series series, String name, int seeds) {
    return lab.learn(name, on(series), seeds);
  }

  /** This on a series. */
  public Trial<Result> on(Series series) {
    return Trial.of(
        Result.class,
        session -> run(series, session.seed(), done -> session.progress().at(done, "")));
  }

  /** Trains with this seed. */
  public Result run(Series series, long seed, DoubleConsumer progress) {
    ForecastModel.Config config = sized(series);
    Rows learned = rows(series, trained, config);
    Rows asked = rows(series, tested == null ? trained : tested, config);
    Windows training = learned.windows(0, split.train());
    Windows validation = learned.windows(split.validationFrom(), split.testFrom());
    Windows test = asked.windows(split.testFrom(), split.end());
    int perEpoch = Forecasting.updatesPerEpoch(training, BATCH);
    int steps = Math.min(mostSteps, epochs * perEpoch);
    int every = Math.max(FEWEST_STEPS, steps / EVALUATIONS);
    TrainingConfig how =
        new TrainingConfig()
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
    Random.seed(seed);
    try (ForecastModel built = config.build()) {
      Forecasting task = new Forecasting(built, training, validation, BATCH, seed);
      Diary diary = new Diary(built, test, steps, progress);
      try (Trainer trainer = new Trainer(built, task, how, null)) {
        trainer.addListener(diary);
        trainer.run();
      }
      return new Result(
          diary.best.mse(),
          diary.best.mae(),
          List.copyOf(diary.validation),
          diary.steps,
          diary.seconds,
          built.parameterCount());
    }
  }

  private static final class Diary implements Listener {
    private final ForecastModel model;
    private final Windows test;
    private final int planned;
    private final DoubleConsumer progress;
    private final List<Double> validation = new ArrayList<>();
    private ForecastError best;
    private long steps;
    private double seconds;
    private long mark = System.nanoTime();

    Diary(ForecastModel model, Windows test, int planned, DoubleConsumer progress) {
      this.model = model;
      this.test = test;
      this.planned = planned;
      this.progress = progress;
    }

    @Override
    public void step(Step step) {
      seconds += (System.nanoTime() - mark) / 1e9;
      steps = step.step();
      progress.accept((double) steps / planned);
      mark = System.nanoTime();
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      validation.add(evaluation.value());
      if (evaluation.isBest()) {
        best = Forecasting.errors(model, test);
      }
      mark = System.nanoTime();
    }
  }

  /** The errors of a forecast that needs no training, on the same windows. */
  public Result of(Series series, UnaryOperator<Tensor> forecast) {
    Windows test =
        rows(series, tested == null ? trained : tested, model)
            .windows(split.testFrom(), split.end());
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
