package dev.jformer.studies.forecasting;

import com.google.auto.service.AutoService;
import dev.jformer.data.series.NaiveForecast;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.sparse.ProbSparseAttention;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.model.forecast.ITransformer;
import dev.jformer.model.forecast.Informer;
import dev.jformer.model.forecast.LinearForecaster;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Ett;
import dev.jformer.studies.trial.ForecastTrial;
import dev.jformer.studies.trial.ForecastTrial.Result;
import dev.jformer.studies.trial.Seeds;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * iTransformer (arXiv 2310.06625) on ETTh1: beside Transformers over time steps, a linear model and
 * forecasts without learning; at the paper's horizons; with longer look-backs; and for variables
 * that it was not trained on.
 */
@AutoService(Study.class)
public final class ItransformerStudy implements Study {
  /** The paper's errors on ETTh1 (table 10): horizon, squared, absolute. */
  private static final Map<Integer, double[]> PAPER =
      Map.of(
          96, new double[] {0.386, 0.405},
          192, new double[] {0.441, 0.436},
          336, new double[] {0.487, 0.458},
          720, new double[] {0.503, 0.491});

  private static final int SEASON = 24;

  @Override
  public String slug() {
    return "itransformer";
  }

  @Override
  public void run(ExperimentContext lab) {
    Ett data = Ett.of(lab);
    beside(lab, data);
    horizons(lab, data);
    lookBacks(lab, data);
    unseen(lab, data);
    lab.note(
        "Errors are of standardised values, over all windows, steps and variables of the test rows."
            + " Every model stops at its lowest validation error. iTransformer has the paper's"
            + " size; the Transformers over time steps have width "
            + sequenceWidth(lab.scale())
            + " where the papers' have 512, which takes hours on a laptop.");
    if (lab.scale() == Scale.SMOKE) {
      lab.note("At this scale the series is made up.");
    }
  }

  // ---- Models

  private static int lookBack(Scale scale) {
    return scale.pick(24, 96, 96);
  }

  private static int sequenceWidth(Scale scale) {
    return scale.pick(8, 64, 512);
  }

  private static ForecastModel.Config inverted(Scale scale, int lookBack, int horizon) {
    int width = scale.pick(16, 256, horizon <= 192 ? 256 : 512);
    return new ITransformer.Config()
        .with(
            c ->
                c.variates(7)
                    .calendar(4)
                    .lookBack(lookBack)
                    .horizon(horizon)
                    .layers(2)
                    .width(width))
        .withBlock(
            b ->
                b.mixer(new SoftmaxAttention.Config(scale.pick(2, 8, 8), 0))
                    .ffn(new Mlp.Config(Activation.GELU, 1, 0))
                    .init(new ITransformer.Config().init()));
  }

  private static ForecastModel.Config sequence(
      Scale scale, TokenMixer.Config mixer, boolean distil, int lookBack, int horizon) {
    return new Informer.Config()
        .with(
            c ->
                c.variates(7)
                    .calendar(4)
                    .lookBack(lookBack)
                    .horizon(horizon)
                    .label(lookBack / 2)
                    .encoderLayers(2)
                    .decoderLayers(1)
                    .width(sequenceWidth(scale))
                    .crossHeads(scale.pick(2, 8, 8))
                    .distil(distil))
        .withBlock(
            b ->
                b.mixer(mixer)
                    .ffn(new Mlp.Config(Activation.GELU, 4, 0))
                    .init(new BlockContext.Init(0.07, false)));
  }

  private static ForecastModel.Config vanilla(Scale scale, int lookBack, int horizon) {
    TokenMixer.Config softmax = new SoftmaxAttention.Config(scale.pick(2, 8, 8), 0);
    return sequence(scale, softmax, false, lookBack, horizon);
  }

  private static ForecastModel.Config informer(Scale scale, int lookBack, int horizon) {
    TokenMixer.Config sparse = new ProbSparseAttention.Config(scale.pick(2, 8, 8), 5);
    return sequence(scale, sparse, true, lookBack, horizon);
  }

  private static ForecastTrial quick(ExperimentContext lab, Ett data, ForecastModel.Config model) {
    boolean linear = model instanceof LinearForecaster.Config;
    boolean steps = model instanceof Informer.Config;
    double rate = linear ? 1e-3 : steps ? 5e-4 : 1e-4;
    int most = lab.scale().pick(4, steps ? 300 : 900, 100_000);
    return new ForecastTrial(model, data.split(), lab.scale().pick(1, 6, 10), most, rate);
  }

  // ---- Beside others

  private static void beside(ExperimentContext lab, Ett data) {
    Scale scale = lab.scale();
    int lookBack = lookBack(scale);
    int horizon = scale.pick(12, 96, 96);
    Map<String, List<Result>> all = new LinkedHashMap<>();
    all.put(
        "iTransformer",
        quick(lab, data, inverted(scale, lookBack, horizon))
            .learn(lab, data.series(), "iTransformer", scale.pick(1, 3, 3)));
    all.put(
        "Transformer over time steps",
        quick(lab, data, vanilla(scale, lookBack, horizon))
            .learn(lab, data.series(), "Transformer", scale.pick(1, 2, 3)));
    all.put(
        "Informer",
        quick(lab, data, informer(scale, lookBack, horizon))
            .learn(lab, data.series(), "Informer", scale.pick(1, 2, 3)));
    all.put(
        "DLinear",
        quick(lab, data, linear(lookBack, horizon)).learn(lab, data.series(), "DLinear", 1));
    ForecastTrial naive = quick(lab, data, linear(lookBack, horizon));
    all.put(
        "last value",
        List.of(naive.of(data.series(), past -> NaiveForecast.lastValue(past, horizon))));
    all.put(
        "value a day before",
        List.of(naive.of(data.series(), past -> NaiveForecast.seasonal(past, horizon, SEASON))));
    double ours = Seeds.mean(all.get("iTransformer"), Result::mse);
    double[] paper = PAPER.get(96);
    lab.claim(
        "The error of iTransformer on ETTh1, 96 rows from 96, is the paper's",
        "mean squared error 0.386, mean absolute error 0.405 (table 10)",
        Check.all(
            Check.atMost("squared error as a multiple of the paper's", ours / paper[0], 1.03),
            Check.atMost(
                "absolute error as a multiple of the paper's",
                Seeds.mean(all.get("iTransformer"), Result::mae) / paper[1],
                1.03)),
        "Measured: "
            + Check.number(ours)
            + " and "
            + Check.number(Seeds.mean(all.get("iTransformer"), Result::mae))
            + ", mean of "
            + all.get("iTransformer").size()
            + " seeds.");
    lab.claim(
        "The error of iTransformer is below that of Transformers over time steps",
        "Informer 0.865 (table 10)",
        Check.all(
            Check.below(
                "squared error, against the Transformer's",
                ours,
                Seeds.mean(all.get("Transformer over time steps"), Result::mse)),
            Check.below(
                "squared error, against Informer's",
                ours,
                Seeds.mean(all.get("Informer"), Result::mse))));
    lab.claim(
        "The error of iTransformer is below that of the linear model and of forecasts without learning",
        "DLinear 0.386, equal (table 10)",
        Check.all(
            Check.below(
                "squared error, against DLinear's",
                ours,
                Seeds.mean(all.get("DLinear"), Result::mse)),
            Check.below(
                "squared error, against a day before",
                ours,
                Seeds.mean(all.get("value a day before"), Result::mse))));
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    all.forEach(
        (name, results) -> {
          rows.add(
              Table.row(
                  name,
                  Seeds.mean(results, Result::mse),
                  Seeds.spread(results, Result::mse),
                  Seeds.mean(results, Result::mae),
                  Seeds.mean(results, Result::seconds),
                  Seeds.mean(results, r -> r.steps()),
                  results.get(0).parameters()));
          if (!results.get(0).validation().isEmpty()) {
            List<Double> errors = results.get(0).validation();
            List<Double> at = new ArrayList<>();
            for (int i = 1; i <= errors.size(); i++) {
              at.add((double) i * results.get(0).steps() / errors.size());
            }
            curves.add(Figure.Series.line(name, at, errors));
          }
        });
    lab.table(
        new Table(
            "Forecasts of " + horizon + " rows from " + lookBack + ", test rows",
            List.of(
                "model",
                "mean squared error",
                "spread over seeds",
                "mean absolute error",
                "seconds of training",
                "updates",
                "weights"),
            rows));
    lab.figure(
        new Figure(
            "Learning, first seed",
            "updates",
            "validation mean squared error",
            false,
            false,
            curves));
  }

  private static ForecastModel.Config linear(int lookBack, int horizon) {
    return new LinearForecaster.Config(7, 4, lookBack, horizon, 25);
  }

  // ---- Horizons

  private static void horizons(ExperimentContext lab, Ett data) {
    int lookBack = lookBack(lab.scale());
    int[] horizons =
        lab.scale().pick(new int[] {24}, new int[] {192, 336, 720}, new int[] {192, 336, 720});
    List<List<String>> rows = new ArrayList<>();
    List<Check> near = new ArrayList<>();
    for (int horizon : horizons) {
      List<Result> ours =
          quick(lab, data, inverted(lab.scale(), lookBack, horizon))
              .withMost(lab.scale().pick(4, 600, 100_000))
              .learn(lab, data.series(), "iTransformer, horizon " + horizon, 1);
      ForecastTrial linear = quick(lab, data, linear(lookBack, horizon));
      List<Result> simple = linear.learn(lab, data.series(), "DLinear, horizon " + horizon, 1);
      Result day = linear.of(data.series(), past -> NaiveForecast.seasonal(past, horizon, SEASON));
      double[] paper = PAPER.getOrDefault(horizon, new double[] {Double.NaN, Double.NaN});
      rows.add(
          Table.row(
              horizon,
              Seeds.mean(ours, Result::mse),
              paper[0],
              Seeds.mean(ours, Result::mae),
              paper[1],
              Seeds.mean(simple, Result::mse),
              day.mse()));
      if (PAPER.containsKey(horizon)) {
        near.add(
            Check.atMost(
                "horizon " + horizon + ", squared error as a multiple of the paper's",
                Seeds.mean(ours, Result::mse) / paper[0],
                1.05));
      }
    }
    if (!near.isEmpty()) {
      lab.claim(
          "Longer horizons come out as in the paper",
          "0.441, 0.487, 0.503 (table 10)",
          Check.all(near.toArray(Check[]::new)));
    }
    lab.table(
        new Table(
            "Longer horizons, from " + lookBack + " rows, one seed",
            List.of(
                "horizon",
                "iTransformer, squared",
                "paper",
                "iTransformer, absolute",
                "paper ",
                "DLinear, squared",
                "a day before, squared"),
            rows));
  }

  // ---- Look-backs

  private static void lookBacks(ExperimentContext lab, Ett data) {
    int horizon = lab.scale().pick(12, 96, 96);
    int[] lengths =
        lab.scale()
            .pick(new int[] {24, 48}, new int[] {96, 192, 336}, new int[] {96, 192, 336, 720});
    List<Double> at = new ArrayList<>();
    List<Double> ours = new ArrayList<>();
    List<Double> theirs = new ArrayList<>();
    List<List<String>> rows = new ArrayList<>();
    for (int length : lengths) {
      List<Result> inverted =
          quick(lab, data, inverted(lab.scale(), length, horizon))
              .withMost(lab.scale().pick(4, 600, 100_000))
              .learn(lab, data.series(), "iTransformer, look-back " + length, 1);
      List<Result> vanilla =
          quick(lab, data, vanilla(lab.scale(), length, horizon))
              .withMost(lab.scale().pick(4, 150, 100_000))
              .learn(lab, data.series(), "Transformer, look-back " + length, 1);
      at.add((double) length);
      ours.add(Seeds.mean(inverted, Result::mse));
      theirs.add(Seeds.mean(vanilla, Result::mse));
      rows.add(
          Table.row(length, Seeds.mean(inverted, Result::mse), Seeds.mean(vanilla, Result::mse)));
    }
    int last = lengths.length - 1;
    lab.claim(
        "A longer look-back does not make iTransformer worse",
        "errors fall with the look-back, the Transformer's do not (figure 6)",
        Check.atMost(
            "squared error with the longest look-back, as a multiple of that with the shortest",
            ours.get(last) / ours.get(0),
            1.02),
        "The Transformer over time steps: " + Check.number(theirs.get(last) / theirs.get(0)) + ".");
    lab.table(
        new Table(
            "Look-backs, " + horizon + " rows to forecast, one seed",
            List.of("rows seen", "iTransformer, squared error", "Transformer, squared error"),
            rows));
    lab.figure(
        new Figure(
            "Error by look-back",
            "rows seen",
            "mean squared error",
            false,
            false,
            List.of(
                Figure.Series.line("iTransformer", at, ours),
                Figure.Series.line("Transformer over time steps", at, theirs))));
  }

  // ---- Unseen variables

  private static void unseen(ExperimentContext lab, Ett data) {
    List<String> names = data.series().names();
    int known = names.size() - names.size() / 2;
    List<String> seen = names.subList(0, known);
    List<String> others = names.subList(known, names.size());
    int lookBack = lookBack(lab.scale());
    int horizon = lab.scale().pick(12, 96, 96);
    ForecastTrial plain = quick(lab, data, inverted(lab.scale(), lookBack, horizon));
    List<Result> some =
        plain.withColumns(seen, others).learn(lab, data.series(), "trained on others", 1);
    List<Result> own =
        plain.withColumns(others, others).learn(lab, data.series(), "trained on them", 1);
    Result last =
        plain
            .withColumns(others, others)
            .of(data.series(), past -> NaiveForecast.seasonal(past, horizon, SEASON));
    lab.claim(
        "Trained on other variables it forecasts those that it never saw",
        "generalises to unseen variates (section 4.2)",
        Check.all(
            Check.below("squared error, against a day before", some.get(0).mse(), last.mse()),
            Check.atMost(
                "squared error as a multiple of that when trained on them",
                some.get(0).mse() / own.get(0).mse(),
                1.1)));
    lab.table(
        new Table(
            "Errors on " + String.join(", ", others),
            List.of("model", "mean squared error", "mean absolute error"),
            List.of(
                Table.row(
                    "trained on " + String.join(", ", seen), some.get(0).mse(), some.get(0).mae()),
                Table.row("trained on them", own.get(0).mse(), own.get(0).mae()),
                Table.row("value a day before", last.mse(), last.mae()))));
  }
}
