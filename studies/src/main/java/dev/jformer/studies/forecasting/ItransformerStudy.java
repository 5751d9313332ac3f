package dev.jformer.studies.forecasting;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.series.Series;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.sparse.ProbSparseAttention;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.model.forecast.ITransformer;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Cell;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Ett;
import dev.jformer.studies.trial.ForecastTrial;
import dev.jformer.studies.trial.ForecastTrial.Result;
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

  private static final String OURS = "iTransformer";
  private static final String VANILLA = "Transformer over time steps";
  private static final String INFORMER = "Informer";
  private static final String LINEAR = "DLinear";

  @Override
  public void run(ExperimentContext lab) {
    Trials trials = new Trials(lab.scale(), Ett.of(lab));
    beside(lab, trials);
    horizons(lab, trials);
    lookBacks(lab, trials);
    unseen(lab, trials);
    lab.note(
        "Errors are of standardised values, over all windows, steps and variables of the test rows."
            + " Every model stops at its lowest validation error. iTransformer has the paper's"
            + " size; the Transformers over time steps have width "
            + trials.width()
            + " where the papers' have 512, which takes hours on a laptop.");
    if (lab.scale() == Scale.SMOKE) {
      lab.note("At this scale the series is made up.");
    }
  }

  // ---- Trials

  /** Trials of the models at a scale. */
  private record Trials(Scale scale, Ett data) {
    Series series() {
      return data.series();
    }

    int lookBack() {
      return scale.pick(24, 96, 96);
    }

    int horizon() {
      return scale.pick(12, 96, 96);
    }

    int width() {
      return scale.pick(8, 64, 512);
    }

    ForecastTrial inverted(int lookBack, int horizon) {
      int wide = scale.pick(16, 256, horizon <= 192 ? 256 : 512);
      ITransformer.Config model =
          new ITransformer.Config()
              .with(
                  c ->
                      c.variates(7)
                          .calendar(4)
                          .lookBack(lookBack)
                          .horizon(horizon)
                          .layers(2)
                          .width(wide))
              .withBlock(
                  b ->
                      b.mixer(softmax())
                          .ffn(new Mlp.Config(Activation.GELU, 1, 0))
                          .init(new ITransformer.Config().init()));
      return trial(model, 900, 1e-4);
    }

    ForecastTrial vanilla(int lookBack, int horizon) {
      return overTime(softmax(), false, lookBack, horizon);
    }

    ForecastTrial informer(int lookBack, int horizon) {
      return overTime(new ProbSparseAttention.Config(heads(), 5), true, lookBack, horizon);
    }

    ForecastTrial linear(int lookBack, int horizon) {
      return trial(Forecasters.linear(lookBack, horizon), 900, 1e-3);
    }

    private TokenMixer.Config softmax() {
      return new SoftmaxAttention.Config(heads(), 0);
    }

    private int heads() {
      return scale.pick(2, 8, 8);
    }

    private ForecastTrial overTime(
        TokenMixer.Config mixer, boolean distil, int lookBack, int horizon) {
      return trial(
          Forecasters.overTime(width(), mixer, distil, lookBack, horizon, lookBack / 2), 300, 5e-4);
    }

    private ForecastTrial trial(ForecastModel.Config model, int updates, double rate) {
      return new ForecastTrial(model, data.split(), scale.pick(1, 6, 10), most(updates), rate);
    }

    /** Updates at most, of which a laptop has time for so many. */
    int most(int laptop) {
      return scale.pick(4, laptop, 100_000);
    }

    /** What one seed gives. */
    Result once(ExperimentContext lab, String name, ForecastTrial trial) {
      return trial.learn(lab, series(), name, 1).get(0);
    }

    Result day(ForecastTrial trial) {
      return Forecasters.naive(trial, series()).first(Forecasters.DAY);
    }
  }

  // ---- Beside others

  private static void beside(ExperimentContext lab, Trials trials) {
    Scale scale = lab.scale();
    int lookBack = trials.lookBack();
    int horizon = trials.horizon();
    int fewer = scale.pick(1, 2, 3);
    Measured<Result> learned =
        Arms.of(OURS, trials.inverted(lookBack, horizon))
            .arm(VANILLA, trials.vanilla(lookBack, horizon))
            .arm(INFORMER, trials.informer(lookBack, horizon))
            .control(LINEAR, trials.linear(lookBack, horizon))
            .seeds(VANILLA, fewer)
            .seeds(INFORMER, fewer)
            .seeds(LINEAR, 1)
            .learn(lab, "", scale.pick(1, 3, 3), trial -> trial.on(trials.series()));
    Measured<Result> all =
        learned.and(Forecasters.naive(trials.linear(lookBack, horizon), trials.series()));
    double[] paper = PAPER.get(96);
    lab.claim(
        "The error of iTransformer on ETTh1, 96 rows from 96, is the paper's",
        "mean squared error 0.386, mean absolute error 0.405 (table 10)",
        Check.all(
            Check.atMost(
                "squared error as a multiple of the paper's",
                all.of(OURS, Result::mse).times(1 / paper[0]),
                1.03),
            Check.atMost(
                "absolute error as a multiple of the paper's",
                all.of(OURS, Result::mae).times(1 / paper[1]),
                1.03)),
        "Measured: "
            + all.of(OURS, Result::mse).text()
            + " and "
            + all.of(OURS, Result::mae).text()
            + ".");
    lab.claim(
        "The error of iTransformer is below that of Transformers over time steps",
        "Informer 0.865 (table 10)",
        Check.all(
            all.below("squared error, against the Transformer's", OURS, VANILLA, Result::mse),
            all.below("squared error, against Informer's", OURS, INFORMER, Result::mse)));
    lab.claim(
        "The error of iTransformer is below that of the linear model and of forecasts without learning",
        "DLinear 0.386, equal (table 10)",
        LINEAR,
        Check.all(
            all.below("squared error, against DLinear's", OURS, LINEAR, Result::mse),
            all.below("squared error, against a day before", OURS, Forecasters.DAY, Result::mse)));
    lab.table(
        all.table(
            "Forecasts of " + horizon + " rows from " + lookBack + ", test rows",
            "model",
            column("mean squared error", Result::mse),
            column("mean absolute error", Result::mae),
            column("seconds of training", Result::seconds),
            column("updates", Result::steps),
            fixed("weights", Result::parameters)));
    lab.figure(
        learned.figure(
            "Learning, first seed",
            "updates",
            "validation mean squared error",
            Forecasters::curve));
  }

  // ---- Horizons

  /** Errors at a horizon. */
  private record Horizon(Result ours, Result linear, Result day, double paper, double absolute) {
    double multiple() {
      return ours.mse() / paper;
    }
  }

  private static void horizons(ExperimentContext lab, Trials trials) {
    int lookBack = trials.lookBack();
    List<Integer> usual = List.of(192, 336, 720);
    Map<String, Horizon> found = new LinkedHashMap<>();
    for (int horizon : lab.scale().pick(List.of(24), usual, usual)) {
      ForecastTrial ours = trials.inverted(lookBack, horizon).withMost(trials.most(600));
      ForecastTrial linear = trials.linear(lookBack, horizon);
      double[] paper = PAPER.getOrDefault(horizon, new double[] {Double.NaN, Double.NaN});
      found.put(
          "" + horizon,
          new Horizon(
              trials.once(lab, "iTransformer, horizon " + horizon, ours),
              trials.once(lab, "DLinear, horizon " + horizon, linear),
              trials.day(linear),
              paper[0],
              paper[1]));
    }
    Measured<Horizon> all = Measured.of(found);
    List<Measured.Arm<Horizon>> known =
        all.arms().stream().filter(arm -> !Double.isNaN(arm.first().paper())).toList();
    if (!known.isEmpty()) {
      lab.claim(
          "The errors of iTransformer at longer horizons are the paper's",
          "0.441, 0.487, 0.503 (table 10)",
          Check.all(known.stream().map(ItransformerStudy::near).toArray(Check[]::new)));
    }
    lab.table(
        all.table(
            "Longer horizons, from " + lookBack + " rows, one seed",
            "horizon",
            column("iTransformer, squared", h -> h.ours().mse()),
            column("paper", Horizon::paper),
            column("iTransformer, absolute", h -> h.ours().mae()),
            column("paper ", Horizon::absolute),
            column("DLinear, squared", h -> h.linear().mse()),
            column("a day before, squared", h -> h.day().mse())));
  }

  private static Check near(Measured.Arm<Horizon> arm) {
    return Check.atMost(
        "horizon " + arm.name() + ", squared error as a multiple of the paper's",
        arm.of(Horizon::multiple),
        1.05);
  }

  // ---- Look-backs

  private static void lookBacks(ExperimentContext lab, Trials trials) {
    List<Integer> lengths =
        lab.scale().pick(List.of(24, 48), List.of(96, 192, 336), List.of(96, 192, 336, 720));
    int horizon = trials.horizon();
    List<Result> ours = new ArrayList<>();
    List<Result> theirs = new ArrayList<>();
    for (int length : lengths) {
      String at = ", look-back " + length;
      ForecastTrial inverted = trials.inverted(length, horizon).withMost(trials.most(600));
      ForecastTrial vanilla = trials.vanilla(length, horizon).withMost(trials.most(150));
      ours.add(trials.once(lab, "iTransformer" + at, inverted));
      theirs.add(trials.once(lab, "Transformer" + at, vanilla));
    }
    Map<String, List<Result>> results = new LinkedHashMap<>();
    results.put(OURS, ours);
    results.put(VANILLA, theirs);
    Measured<List<Result>> all = Measured.of(results);
    lab.claim(
        "A longer look-back does not make iTransformer worse",
        "errors fall with the look-back, the Transformer's do not (figure 6)",
        Check.atMost(
            "squared error with the longest look-back, as a multiple of that with the shortest",
            all.of(OURS, ItransformerStudy::lastByFirst),
            1.02),
        "The Transformer over time steps: "
            + Check.number(all.of(VANILLA, ItransformerStudy::lastByFirst).value())
            + ".");
    lab.table(
        all.crossTable(
            "Look-backs, " + horizon + " rows to forecast, one seed",
            "rows seen",
            lengths,
            new Cell<>("squared error", (list, i) -> list.get(i).mse())));
    List<Double> at = lengths.stream().map(Integer::doubleValue).toList();
    lab.figure(
        all.figure(
            "Error by look-back",
            "rows seen",
            "mean squared error",
            (list, name) -> Figure.Series.line(name, at, list.stream().map(Result::mse).toList())));
  }

  private static double lastByFirst(List<Result> results) {
    return results.get(results.size() - 1).mse() / results.get(0).mse();
  }

  // ---- Unseen variables

  private static void unseen(ExperimentContext lab, Trials trials) {
    List<String> names = trials.series().names();
    int known = names.size() - names.size() / 2;
    List<String> seen = names.subList(0, known);
    List<String> others = names.subList(known, names.size());
    ForecastTrial plain = trials.inverted(trials.lookBack(), trials.horizon());
    ForecastTrial own = plain.withColumns(others, others);
    String some = "trained on others";
    String them = "trained on them";
    Measured<Result> all =
        Arms.of(some, plain.withColumns(seen, others))
            .arm(them, own)
            .learn(lab, "", 1, trial -> trial.on(trials.series()))
            .and(Forecasters.naive(own, trials.series()).only(List.of(Forecasters.DAY)));
    lab.claim(
        "iTransformer forecasts variables that it never saw when it is trained on others",
        "generalises to unseen variates (section 4.2)",
        Forecasters.DAY,
        Check.all(
            all.below("squared error, against a day before", some, Forecasters.DAY, Result::mse),
            Check.atMost(
                "squared error as a multiple of that when trained on them",
                all.ratio(some, them, Result::mse),
                1.1)));
    lab.table(
        all.table(
            "Errors on "
                + String.join(", ", others)
                + "; the others are "
                + String.join(", ", seen),
            "model",
            column("mean squared error", Result::mse),
            column("mean absolute error", Result::mae)));
  }
}
