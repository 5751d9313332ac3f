package dev.jformer.train;

import dev.jformer.data.Epochs;
import dev.jformer.data.series.Windows;
import dev.jformer.metrics.ForecastError;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/**
 * The task of training a forecaster on windows of series. An epoch takes the windows in a new
 * random order; windows that do not fill a batch are left out of it.
 */
public final class Forecasting implements Task {
  private static final int EVALUATION_BATCH = 128;

  private final ForecastModel model;
  private final Windows training;
  private final Windows validation;
  private final Epochs epochs;

  /**
   * Creates a task.
   *
   * @param training windows to learn from
   * @param validation windows to evaluate on
   * @param batch windows in a batch; all of them if there are fewer
   */
  public Forecasting(
      ForecastModel model, Windows training, Windows validation, int batch, long seed) {
    this.model = model;
    this.training = training;
    this.validation = validation;
    this.epochs = new Epochs(training.count(), batch, seed);
  }

  /** The number of updates in an epoch. */
  public static int updatesPerEpoch(Windows training, int batch) {
    return Math.max(1, training.count() / batch);
  }

  @Override
  public Tensor loss(long index) {
    long[] chosen = IntStream.of(epochs.chosen(index)).asLongStream().toArray();
    Windows.Batch windows = training.batch(chosen);
    return model.loss(
        windows.past(), windows.pastCalendar(), windows.futureCalendar(), windows.future());
  }

  @Override
  public long unitsPerBatch() {
    return epochs.batch();
  }

  @Override
  public String unit() {
    return "windows";
  }

  /** Mean squared and mean absolute error of the validation windows, in standardised units. */
  @Override
  public Metrics evaluate() {
    return errors(model, validation).metrics();
  }

  /** Measures the errors of a model on all windows, including those of an incomplete last batch. */
  public static ForecastError errors(ForecastModel model, Windows windows) {
    ForecastError error = new ForecastError();
    forEach(model, windows, (batch, forecast) -> error.add(forecast, batch.future()));
    return error;
  }

  /**
   * Forecasts all windows, in their order.
   *
   * @param consumer receives batches of windows and their forecast [B, P, C], each in its own scope
   */
  public static void forEach(
      ForecastModel model, Windows windows, BiConsumer<Windows.Batch, Tensor> consumer) {
    boolean learning = model.isTraining();
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      for (int from = 0; from < windows.count(); from += EVALUATION_BATCH) {
        long[] chosen = new long[Math.min(EVALUATION_BATCH, windows.count() - from)];
        for (int i = 0; i < chosen.length; i++) {
          chosen[i] = from + (long) i;
        }
        try (Scope scope = Scope.open()) {
          Windows.Batch batch = windows.batch(chosen);
          consumer.accept(
              batch, model.forecast(batch.past(), batch.pastCalendar(), batch.futureCalendar()));
        }
      }
    } finally {
      model.train(learning);
    }
  }
}
