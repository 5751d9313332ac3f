package dev.jformer.studies.forecasting;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.linear.FlowAttention;
import dev.jformer.mixer.sparse.ProbSparseAttention;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.model.forecast.Informer;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Cell;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Claim;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.Ett;
import dev.jformer.studies.trial.ForecastTrial;
import dev.jformer.studies.trial.ForecastTrial.Result;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Informer (arXiv 2012.07436): what ProbSparse attention costs as series grow, how much faster
 * generative decoding is than a step at a time, and forecasts of ETTh1 beside the plain
 * Transformer, Flow-Attention (arXiv 2202.06258) in the same model, a linear model and no learning
 * at all; the same with a long look-back.
 */
@AutoService(Study.class)
public final class InformerStudy implements Study {
  private static final double EXPONENT = 1.2;
  private static final double FASTER = 20;
  private static final int HEADS = 4;
  private static final String SPARSE = "ProbSparse attention";
  private static final String SOFTMAX = "softmax attention";
  private static final Arms<TokenMixer.Config> MIXERS =
      Arms.<TokenMixer.Config>of(SPARSE, new ProbSparseAttention.Config(HEADS, 5))
          .control(SOFTMAX, new SoftmaxAttention.Config(HEADS, 0));
  private static final String OURS = "Informer";
  private static final String PLAIN = "plain Transformer";
  private static final String FLOW = "Flow-Attention";
  private static final String LINEAR = "DLinear";

  @Override
  public void run(ExperimentContext lab) {
    costs(lab);
    decoding(lab);
    forecasts(lab, Ett.of(lab));
    lab.note(
        "Models over time steps have width "
            + width(lab.scale())
            + " where the paper's have 512, and are trained for a fixed number of updates, the same"
            + " for all. The paper's code mixes heads and rows in the decoder's ProbSparse attention"
            + " by the order in memory that a result is read in; here they stay in their places.");
    if (lab.scale() == Scale.SMOKE) {
      lab.note("At this scale the series is made up.");
    }
  }

  private static int width(Scale scale) {
    return scale.pick(8, 64, 512);
  }

  // ---- Cost

  private static void costs(ExperimentContext lab) {
    int width = lab.scale().pick(16, 256, 512);
    List<Integer> sizes =
        lab.scale()
            .pick(
                List.of(64, 128, 256),
                List.of(512, 1024, 2048, 4096, 8192),
                List.of(512, 1024, 2048, 4096, 8192, 16_384));
    int from = sizes.get(0);
    LayerCost layer = new LayerCost(width, sizes);
    Measured<Cost> costs = layer.measure(lab, MIXERS, false);
    Cost sparse = costs.first(SPARSE);
    Cost softmax = costs.first(SOFTMAX);
    lab.claim(
        Claim.that(
                "ProbSparse attention's time and memory are near linear",
                Check.all(
                    Check.atMost("exponent of time", sparse.timeExponent(from), EXPONENT),
                    Check.atMost("exponent of memory", sparse.memoryExponent(from), EXPONENT)))
            .paper("O(L log L) (abstract)")
            .control(SOFTMAX)
            .remark(
                "From "
                    + from
                    + " to "
                    + sizes.get(sizes.size() - 1)
                    + " rows. Softmax attention on the fused kernel: "
                    + Check.number(softmax.timeExponent(from))
                    + " and "
                    + Check.number(softmax.memoryExponent(from))
                    + "."));
    lab.table(
        costs.crossTable(
            "A layer forward and backward on one series, width " + width,
            "rows",
            sizes,
            new Cell<>("ms", (cost, i) -> 1e3 * cost.points().get(i).seconds()),
            new Cell<>("MB", (cost, i) -> cost.points().get(i).bytes() / 1e6)));
    layer.figures(lab, costs);
  }

  // ---- Decoding

  private static void decoding(ExperimentContext lab) {
    int lookBack = lab.scale().pick(24, 336, 720);
    int horizon = lab.scale().pick(24, 720, 720);
    String generative = "Informer, all at once";
    String stepByStep = "plain Transformer, a row at a time";
    TimedArms times =
        lab.measure(
            "decoding " + horizon + " rows",
            TimedArms.class,
            () -> {
              try (Informer informer = informer(lab.scale(), lookBack, horizon).build();
                  Informer plain = plain(lab.scale(), lookBack, horizon).build();
                  Mode mode = Autograd.noGrad()) {
                informer.train(false);
                plain.train(false);
                Informer.Config config = plain.config();
                Tensor past = Tensor.randn(1, lookBack, config.variates());
                Tensor days = Tensor.rand(1, lookBack, config.calendar());
                Tensor next = Tensor.rand(1, horizon, config.calendar());
                Map<String, Runnable> work = new LinkedHashMap<>();
                work.put(generative, () -> informer.forecast(past, days, next));
                work.put(stepByStep, () -> plain.forecastStepByStep(past, days, next));
                return TimedArms.measure(work, 1, 3);
              }
            });
    lab.claim(
        "Generative decoding of "
            + horizon
            + " rows is many times faster than the plain decoder, a row at a time",
        "one forward operation rather than step by step (abstract)",
        Check.atLeast("times as fast", times.ratio(stepByStep, generative), FASTER));
    lab.table(
        times.table(
            "One forecast of " + horizon + " rows from " + lookBack,
            "decoding",
            "times the time of Informer"));
  }

  // ---- Forecasts

  private static Informer.Config informer(Scale scale, int lookBack, int horizon) {
    return config(scale, MIXERS.settings().get(SPARSE), true, lookBack, horizon);
  }

  private static Informer.Config plain(Scale scale, int lookBack, int horizon) {
    return config(scale, MIXERS.settings().get(SOFTMAX), false, lookBack, horizon);
  }

  private static ForecastTrial trial(
      Ett data, ForecastModel.Config model, int updates, double rate) {
    return new ForecastTrial(model, data.split(), 10, updates, rate);
  }

  private static Informer.Config config(
      Scale scale, TokenMixer.Config mixer, boolean distil, int lookBack, int horizon) {
    int label = Math.min(48, lookBack / 2);
    return Forecasters.overTime(width(scale), mixer, distil, lookBack, horizon, label);
  }

  private static void forecasts(ExperimentContext lab, Ett data) {
    Scale scale = lab.scale();
    Measured<Result> usual =
        forecasts(
            lab, data, "", scale.pick(24, 96, 96), scale.pick(4, 250, 2000), scale.pick(1, 2, 3));
    lab.claim(
        "Informer forecasts better than the plain Transformer",
        "outperforms existing methods (abstract); 0.577 on ETTh1, 24 rows (table 2)",
        PLAIN,
        usual.below("squared error", OURS, PLAIN, Result::mse));
    lab.claim(
        "Informer beats the linear model and forecasts without learning",
        "",
        LINEAR,
        Check.all(
            usual.below("squared error, against DLinear's", OURS, LINEAR, Result::mse),
            usual.below("against a day before", OURS, Forecasters.DAY, Result::mse)));
    Measured<Result> far =
        forecasts(
            lab, data, "long look-back", scale.pick(48, 720, 720), scale.pick(4, 40, 2000), 1);
    lab.claim(
        "With a long look-back Flow-Attention in the same model forecasts about as well as softmax"
            + " attention",
        "Flowformer is general (arXiv 2202.06258)",
        PLAIN,
        Check.atMost(
            "squared error as a multiple of softmax attention's",
            far.ratio(FLOW, PLAIN, Result::mse),
            1.05));
  }

  private static Measured<Result> forecasts(
      ExperimentContext lab, Ett data, String name, int lookBack, int updates, int seeds) {
    Scale scale = lab.scale();
    int horizon = scale.pick(12, 24, 24);
    TokenMixer.Config flow = new FlowAttention.Config(HEADS);
    ForecastTrial linear =
        trial(data, Forecasters.linear(lookBack, horizon), scale.pick(4, 1000, 5000), 1e-3);
    Measured<Result> all =
        Arms.of(OURS, trial(data, informer(scale, lookBack, horizon), updates, 5e-4))
            .arm(PLAIN, trial(data, plain(scale, lookBack, horizon), updates, 5e-4))
            .arm(FLOW, trial(data, config(scale, flow, false, lookBack, horizon), updates, 5e-4))
            .control(LINEAR, linear)
            .seeds(LINEAR, 1)
            .learn(lab, name, seeds, trial -> trial.on(data.series()))
            .and(Forecasters.naive(linear, data.series()));
    lab.table(
        all.table(
            "Forecasts of " + horizon + " rows from " + lookBack + ", ETTh1, test rows",
            "model",
            column("mean squared error", Result::mse),
            column("mean absolute error", Result::mae),
            column("ms an update", r -> r.steps() == 0 ? 0 : 1e3 * r.seconds() / r.steps()),
            column("updates", Result::steps)));
    return all;
  }
}
