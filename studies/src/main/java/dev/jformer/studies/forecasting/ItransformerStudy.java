package dev.jformer.studies.forecasting;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;
import static dev.jformer.studies.Column.named;

import com.google.auto.service.AutoService;
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
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Figure.Series;
import dev.jformer.studies.trial.ForecastTrial;
import dev.jformer.studies.trial.ForecastTrial.Result;
import java.util.List;
import java.util.Map;

/**
 * iTransformer (arXiv 2310.06625) on ETTh1: beside Transformers over time steps, a linear model and
 * forecasts without learning; at the paper's horizons; with longer look-backs; and for variables
 * that it was not trained on.
 */
@AutoService(Study.class)
public final class ItransformerStudy implements Study {
  private static final String OURS = "iTransformer";
  private static final String VANILLA = "Transformer over time steps";
  private static final String INFORMER = "Informer";
  private static final String LINEAR = "DLinear";

  /** The paper's mean squared and mean absolute errors on ETTh1 by horizon (table 10). */
  private static final Map<String, Double> PAPER_SQUARED =
      Map.of("96", 0.386, "192", 0.441, "336", 0.487, "720", 0.503);

  private static final Map<String, Double> PAPER_ABSOLUTE =
      Map.of("96", 0.405, "192", 0.436, "336", 0.458, "720", 0.491);

  @Override
  public void run(ExperimentContext lab) {
    Forecasters forecasters = Forecasters.of(lab, lab.pick(1, 6, 10));
    Models models = new Models(lab, forecasters, lab.pick(24, 96, 96), lab.pick(12, 96, 96));
    beside(lab, models);
    horizons(lab, models);
    lookBacks(lab, models);
    unseen(lab, models);
    lab.note(
        "Errors are of standardised values, over all windows, steps and variables of the test rows."
            + " Every model stops at its lowest validation error. iTransformer has the paper's"
            + " size; the Transformers over time steps have width %d where the papers' have 512,"
            + " which takes hours on a laptop.",
        lab.pick(8, 64, 512));
  }

  /** The models at a scale, with the updates that a laptop has time for. */
  private record Models(ExperimentContext lab, Forecasters all, int lookBack, int horizon) {
    ForecastTrial inverted(int seen, int ahead, int updates) {
      int width = lab.pick(16, 256, ahead <= 192 ? 256 : 512);
      ITransformer.Config plain = new ITransformer.Config();
      return trial(
          plain
              .with(c -> c.variates(7).calendar(4).lookBack(seen).horizon(ahead))
              .with(c -> c.layers(2).width(width))
              .withBlock(b -> b.mixer(softmax()).ffn(new Mlp.Config(Activation.GELU, 1, 0)))
              .withBlock(b -> b.init(plain.init())),
          updates,
          1e-4);
    }

    ForecastTrial vanilla(int seen, int updates) {
      return overTime(softmax(), false, seen, updates);
    }

    ForecastTrial informer() {
      return overTime(new ProbSparseAttention.Config(heads(), 5), true, lookBack, 300);
    }

    ForecastTrial linear(int ahead) {
      return trial(Forecasters.linear(lookBack, ahead), 900, 1e-3);
    }

    private TokenMixer.Config softmax() {
      return new SoftmaxAttention.Config(heads(), 0);
    }

    private int heads() {
      return lab.pick(2, 8, 8);
    }

    private ForecastTrial overTime(TokenMixer.Config mixer, boolean distil, int seen, int updates) {
      int width = lab.pick(8, 64, 512);
      return trial(
          Forecasters.overTime(width, mixer, distil, seen, horizon, seen / 2), updates, 5e-4);
    }

    private ForecastTrial trial(ForecastModel.Config model, int updates, double rate) {
      return all.trial(model, lab.pick(4, updates, 100_000), rate);
    }
  }

  private static void beside(ExperimentContext lab, Models models) {
    int fewer = lab.pick(1, 2, 3);
    Forecasters forecasters = models.all();
    ForecastTrial linear = models.linear(models.horizon());
    Measured<Result> learned =
        forecasters.learn(
            "",
            lab.pick(1, 3, 3),
            Arms.of(OURS, models.inverted(models.lookBack(), models.horizon(), 900))
                .arm(VANILLA, models.vanilla(models.lookBack(), 300))
                .arm(INFORMER, models.informer())
                .control(LINEAR, linear)
                .seeds(VANILLA, fewer)
                .seeds(INFORMER, fewer)
                .seeds(LINEAR, 1));
    Measured<Result> all = learned.and(forecasters.naive(linear));
    Estimate squared = all.of(OURS, Result::mse);
    Estimate absolute = all.of(OURS, Result::mae);
    lab.claim(
        "The error of iTransformer on ETTh1, 96 rows from 96, is the paper's",
        "mean squared error 0.386, mean absolute error 0.405 (table 10)",
        Check.all(
            near("squared error", squared, PAPER_SQUARED.get("96"), 1.03),
            near("absolute error", absolute, PAPER_ABSOLUTE.get("96"), 1.03)),
        "Measured: %s and %s.".formatted(squared.text(), absolute.text()));
    lab.claim(
        "The error of iTransformer is below that of Transformers over time steps",
        "Informer 0.865 (table 10)",
        Check.all(
            Forecasters.below(all, "the Transformer's", OURS, VANILLA),
            Forecasters.below(all, "Informer's", OURS, INFORMER)));
    lab.claim(
        "The error of iTransformer is below that of the linear model and of forecasts without learning",
        "DLinear 0.386, equal (table 10)",
        LINEAR,
        Check.all(
            Forecasters.below(all, "DLinear's", OURS, LINEAR),
            Forecasters.below(all, "a day before", OURS, Forecasters.DAY)));
    lab.table(
        Forecasters.table(
            all,
            "Forecasts of %d rows from %d, test rows"
                .formatted(models.horizon(), models.lookBack()),
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

  private static Check near(String error, Estimate measured, double paper, double most) {
    return Check.atMost(error + " as a multiple of the paper's", measured.times(1 / paper), most);
  }

  private static void horizons(ExperimentContext lab, Models models) {
    List<Integer> usual = List.of(192, 336, 720);
    Map<String, Measured<Result>> found =
        Arms.named(lab.pick(List.of(24), usual, usual), Object::toString)
            .map((name, horizon) -> atHorizon(models, horizon));
    List<String> known = found.keySet().stream().filter(PAPER_SQUARED::containsKey).toList();
    if (!known.isEmpty()) {
      lab.claim(
          "The errors of iTransformer at longer horizons are the paper's",
          "0.441, 0.487, 0.503 (table 10)",
          Check.each(
              known,
              horizon ->
                  near(
                      "horizon " + horizon + ", squared error",
                      found.get(horizon).of(OURS, Result::mse),
                      PAPER_SQUARED.get(horizon),
                      1.05)));
    }
    lab.table(
        Measured.of(found)
            .table(
                "Longer horizons, from " + models.lookBack() + " rows, one seed",
                "horizon",
                column("iTransformer, squared", all -> all.first(OURS).mse()),
                named("paper", horizon -> PAPER_SQUARED.getOrDefault(horizon, Double.NaN)),
                column("iTransformer, absolute", all -> all.first(OURS).mae()),
                named("paper ", horizon -> PAPER_ABSOLUTE.getOrDefault(horizon, Double.NaN)),
                column("DLinear, squared", all -> all.first(LINEAR).mse()),
                column("a day before, squared", all -> all.first(Forecasters.DAY).mse())));
  }

  private static Measured<Result> atHorizon(Models models, int horizon) {
    ForecastTrial ours = models.inverted(models.lookBack(), horizon, 600);
    ForecastTrial linear = models.linear(horizon);
    Arms<ForecastTrial> arms = Arms.of(OURS, ours).control(LINEAR, linear);
    return models.all().learn("horizon " + horizon, 1, arms).and(models.all().naive(linear));
  }

  private static void lookBacks(ExperimentContext lab, Models models) {
    List<Integer> lengths =
        lab.pick(List.of(24, 48), List.of(96, 192, 336), List.of(96, 192, 336, 720));
    Measured<Measured<Result>> found =
        Measured.of(
            Arms.named(lengths, Object::toString).map((name, length) -> seeing(models, length)));
    lab.claim(
        "A longer look-back does not make iTransformer worse",
        "errors fall with the look-back, the Transformer's do not (figure 6)",
        Check.atMost(
            "squared error with the longest look-back, as a multiple of that with the shortest",
            lastByFirst(found, OURS),
            1.02),
        "The Transformer over time steps: %s.".formatted(lastByFirst(found, VANILLA).text()));
    lab.table(
        found.table(
            "Look-backs, " + models.horizon() + " rows to forecast, one seed",
            "rows seen",
            column(OURS + " (squared error)", all -> all.first(OURS).mse()),
            column(VANILLA + " (squared error)", all -> all.first(VANILLA).mse())));
    lab.figure(
        Figure.of(
            "Error by look-back",
            "rows seen",
            "mean squared error",
            line(found, OURS),
            line(found, VANILLA)));
  }

  private static Measured<Result> seeing(Models models, int length) {
    ForecastTrial ours = models.inverted(length, models.horizon(), 600);
    Arms<ForecastTrial> arms = Arms.of(OURS, ours).arm(VANILLA, models.vanilla(length, 150));
    return models.all().learn("look-back " + length, 1, arms);
  }

  private static Estimate lastByFirst(Measured<Measured<Result>> byLength, String model) {
    List<Measured.Arm<Measured<Result>>> arms = byLength.arms();
    Estimate last = arms.get(arms.size() - 1).first().of(model, Result::mse);
    return last.times(1 / arms.get(0).first().first(model).mse());
  }

  private static Series line(Measured<Measured<Result>> byLength, String model) {
    return Series.line(
        model,
        byLength.arms(),
        arm -> Integer.parseInt(arm.name()),
        arm -> arm.first().first(model).mse());
  }

  private static void unseen(ExperimentContext lab, Models models) {
    List<String> names = models.all().data().series().names();
    int known = names.size() - names.size() / 2;
    List<String> seen = names.subList(0, known);
    List<String> others = names.subList(known, names.size());
    ForecastTrial plain = models.inverted(models.lookBack(), models.horizon(), 900);
    ForecastTrial own = plain.withColumns(others, others);
    String some = "trained on others";
    String them = "trained on them";
    Arms<ForecastTrial> arms = Arms.of(some, plain.withColumns(seen, others)).arm(them, own);
    Measured<Result> naive = models.all().naive(own).only(List.of(Forecasters.DAY));
    Measured<Result> all = models.all().learn("", 1, arms).and(naive);
    lab.claim(
        "iTransformer forecasts variables that it never saw when it is trained on others",
        "generalises to unseen variates (section 4.2)",
        Forecasters.DAY,
        Check.all(
            Forecasters.below(all, "a day before", some, Forecasters.DAY),
            all.ratioAtMost("squared error", some, them, Result::mse, 1.1)));
    lab.table(
        Forecasters.table(
            all,
            "Errors on %s; the others are %s"
                .formatted(String.join(", ", others), String.join(", ", seen))));
  }
}
