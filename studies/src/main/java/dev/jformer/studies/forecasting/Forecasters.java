package dev.jformer.studies.forecasting;

import static dev.jformer.studies.Column.column;

import dev.jformer.data.series.NaiveForecast;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.model.forecast.Informer;
import dev.jformer.model.forecast.LinearForecaster;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Ett;
import dev.jformer.studies.trial.ForecastTrial;
import dev.jformer.studies.trial.ForecastTrial.Result;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Forecasting models, trained on ETTh1 beside forecasts without learning.
 *
 * @param epochs maximum number of passes through the training windows
 */
record Forecasters(ExperimentContext lab, Ett data, int epochs) {
  /** Rows of a day. */
  private static final int SEASON = 24;

  static final String LAST = "last value";
  static final String DAY = "value a day before";

  /** Reads the data; notes if they are synthetic. */
  static Forecasters of(ExperimentContext lab, int epochs) {
    if (lab.scale() == Scale.SMOKE) {
      lab.note("At this scale the series is made up.");
    }
    return new Forecasters(lab, Ett.of(lab), epochs);
  }

  /** A trial of a model, with so many updates at most. */
  ForecastTrial trial(ForecastModel.Config model, int updates, double rate) {
    return new ForecastTrial(model, data.split(), epochs, updates, rate);
  }

  /** Trains models; see {@link Arms#learn}. */
  Measured<Result> learn(String name, int seeds, Arms<ForecastTrial> models) {
    return models.learn(lab, name, seeds, trial -> trial.on(data.series()));
  }

  /** Forecasts without learning, on the windows of a trial: controls. */
  Measured<Result> naive(ForecastTrial trial) {
    int horizon = trial.model().horizon();
    return new Measured<>(
        List.of(
            control(LAST, trial, past -> NaiveForecast.lastValue(past, horizon)),
            control(DAY, trial, past -> NaiveForecast.seasonal(past, horizon, SEASON))));
  }

  private Measured.Arm<Result> control(
      String name, ForecastTrial trial, UnaryOperator<Tensor> forecast) {
    return new Measured.Arm<>(name, true, List.of(trial.of(data.series(), forecast)));
  }

  /**
   * A Transformer over time steps: Informer, or with softmax attention the plain Transformer in its
   * place.
   *
   * @param distil whether the encoder halves the series between its layers
   * @param label rows of the past that the decoder is given
   */
  static Informer.Config overTime(
      int width, TokenMixer.Config mixer, boolean distil, int lookBack, int horizon, int label) {
    return new Informer.Config()
        .with(
            c ->
                c.variates(7)
                    .calendar(4)
                    .lookBack(lookBack)
                    .horizon(horizon)
                    .label(label)
                    .encoderLayers(2)
                    .decoderLayers(1)
                    .width(width)
                    .crossHeads(mixer.heads())
                    .distil(distil))
        .withBlock(
            b ->
                b.mixer(mixer)
                    .ffn(new Mlp.Config(Activation.GELU, 4, 0))
                    .init(new BlockContext.Init(0.07, false)));
  }

  /** DLinear (arXiv 2205.13504), a linear model of trend and rest. */
  static ForecastModel.Config linear(int lookBack, int horizon) {
    return new LinearForecaster.Config(7, 4, lookBack, horizon, 25);
  }

  /** Checks that the squared error of a model is below that of another. */
  static Check below(Measured<Result> all, String whose, String model, String other) {
    return all.below("squared error, against " + whose, model, other, Result::mse);
  }

  /** A table of errors on test rows, with more columns. */
  @SafeVarargs
  static Table table(Measured<Result> all, String title, Column<Result>... more) {
    List<Column<Result>> columns = new ArrayList<>();
    columns.add(column("mean squared error", Result::mse));
    columns.add(column("mean absolute error", Result::mae));
    for (Column<Result> column : more) {
      columns.add(column);
    }
    return all.table(title, "model", columns);
  }

  /** The validation errors by updates. */
  static Figure.Series curve(Result result, String name) {
    List<Double> errors = result.validation();
    double every = (double) result.steps() / errors.size();
    return Figure.Series.spaced(name, every, every, errors);
  }
}
