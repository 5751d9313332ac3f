package dev.jformer.studies.forecasting;

import dev.jformer.data.series.NaiveForecast;
import dev.jformer.data.series.Series;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.model.forecast.Informer;
import dev.jformer.model.forecast.LinearForecaster;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.ForecastTrial;
import dev.jformer.studies.trial.ForecastTrial.Result;
import java.util.List;
import java.util.stream.IntStream;

/** Models, and forecasts without learning, that the studies of forecasting compare. */
final class Forecasters {
  /** Rows of a day. */
  private static final int SEASON = 24;

  static final String LAST = "last value";
  static final String DAY = "value a day before";

  private Forecasters() {}

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

  /** Forecasts without learning, on the windows of a trial: controls. */
  static Measured<Result> naive(ForecastTrial trial, Series series) {
    int horizon = trial.model().horizon();
    return new Measured<>(
        List.of(
            control(LAST, trial.of(series, past -> NaiveForecast.lastValue(past, horizon))),
            control(DAY, trial.of(series, past -> NaiveForecast.seasonal(past, horizon, SEASON)))));
  }

  private static Measured.Arm<Result> control(String name, Result result) {
    return new Measured.Arm<>(name, true, List.of(result));
  }

  /** The validation errors by updates. */
  static Figure.Series curve(Result result, String name) {
    List<Double> errors = result.validation();
    return Figure.Series.line(
        name,
        IntStream.rangeClosed(1, errors.size())
            .mapToObj(i -> (double) i * result.steps() / errors.size())
            .toList(),
        errors);
  }
}
