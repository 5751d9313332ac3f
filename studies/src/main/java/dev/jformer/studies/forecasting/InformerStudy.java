package dev.jformer.studies.forecasting;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.linear.FlowAttention;
import dev.jformer.mixer.sparse.ProbSparseAttention;
import dev.jformer.model.forecast.Informer;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.ForecastTrial;
import dev.jformer.studies.trial.ForecastTrial.Result;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * Informer (arXiv 2012.07436): what ProbSparse attention costs as series grow, how much faster
 * generative decoding is than a step at a time, and forecasts of ETTh1 beside the plain
 * Transformer, Flow-Attention (arXiv 2202.06258) in the same model, a linear model and no learning
 * at all; the same with a long look-back.
 */
@AutoService(Study.class)
public final class InformerStudy implements Study {
  private static final double EXPONENT = 1.2;
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
    forecasts(lab, Forecasters.of(lab, 10));
    lab.note(
        "Models over time steps have width %d where the paper's have 512, and are trained for a fixed number of updates, the same"
            + " for all. The paper's code mixes heads and rows in the decoder's ProbSparse attention"
            + " by the order in memory that a result is read in; here they stay in their places.",
        width(lab));
  }

  private static int width(ExperimentContext lab) {
    return lab.pick(8, 64, 512);
  }

  private static void costs(ExperimentContext lab) {
    List<Integer> usual = List.of(512, 1024, 2048, 4096, 8192);
    List<Integer> paper = List.of(512, 1024, 2048, 4096, 8192, 16_384);
    List<Integer> sizes = lab.pick(List.of(64, 128, 256), usual, paper);
    int from = sizes.get(0);
    LayerCost layer = new LayerCost(lab.pick(16, 256, 512), sizes);
    Measured<Cost> costs = layer.measure(lab, MIXERS, false);
    Cost sparse = costs.first(SPARSE);
    Cost softmax = costs.first(SOFTMAX);
    lab.claim(
        "ProbSparse attention's time and memory are near linear",
        "O(L log L) (abstract)",
        SOFTMAX,
        Check.all(
            Check.atMost("exponent of time", sparse.timeExponent(from), EXPONENT),
            Check.atMost("exponent of memory", sparse.memoryExponent(from), EXPONENT)),
        "From %d to %d rows. Softmax attention on the fused kernel: %s and %s."
            .formatted(
                from,
                sparse.last().size(),
                Check.number(softmax.timeExponent(from)),
                Check.number(softmax.memoryExponent(from))));
    layer.reportByLength(lab, costs);
  }

  private static void decoding(ExperimentContext lab) {
    int lookBack = lab.pick(24, 336, 720);
    int horizon = lab.pick(24, 720, 720);
    String generative = "Informer, all at once";
    String stepByStep = "plain Transformer, a row at a time";
    TimedArms times =
        lab.measure(
            "decoding " + horizon + " rows",
            TimedArms.class,
            () -> {
              try (Informer informer = informer(lab, lookBack, horizon).build();
                  Informer plain = plain(lab, lookBack, horizon).build();
                  Mode mode = Autograd.noGrad()) {
                informer.train(false);
                plain.train(false);
                Informer.Config config = plain.config();
                Tensor past = Tensor.randn(1, lookBack, config.variates());
                Tensor days = Tensor.rand(1, lookBack, config.calendar());
                Tensor next = Tensor.rand(1, horizon, config.calendar());
                return TimedArms.measure(
                    Arms.<Runnable>of(generative, () -> informer.forecast(past, days, next))
                        .arm(stepByStep, () -> plain.forecastStepByStep(past, days, next)),
                    1,
                    3);
              }
            });
    lab.claim(
        "Generative decoding of %d rows is many times faster than the plain decoder, a row at a time"
            .formatted(horizon),
        "one forward operation rather than step by step (abstract)",
        Check.atLeast("times as fast", times.ratio(stepByStep, generative), 20));
    lab.table(
        times.table(
            "One forecast of " + horizon + " rows from " + lookBack,
            "decoding",
            "times the time of Informer"));
  }

  private static Informer.Config informer(ExperimentContext lab, int lookBack, int horizon) {
    return config(lab, MIXERS.settings().get(SPARSE), true, lookBack, horizon);
  }

  private static Informer.Config plain(ExperimentContext lab, int lookBack, int horizon) {
    return config(lab, MIXERS.settings().get(SOFTMAX), false, lookBack, horizon);
  }

  private static Informer.Config config(
      ExperimentContext lab, TokenMixer.Config mixer, boolean distil, int lookBack, int horizon) {
    int label = Math.min(48, lookBack / 2);
    return Forecasters.overTime(width(lab), mixer, distil, lookBack, horizon, label);
  }

  private static void forecasts(ExperimentContext lab, Forecasters forecasters) {
    Measured<Result> usual =
        forecasts(forecasters, "", lab.pick(24, 96, 96), lab.pick(4, 250, 2000), lab.pick(1, 2, 3));
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
            Forecasters.below(usual, "DLinear's", OURS, LINEAR),
            Forecasters.below(usual, "a day before", OURS, Forecasters.DAY)));
    Measured<Result> far =
        forecasts(forecasters, "long look-back", lab.pick(48, 720, 720), lab.pick(4, 40, 2000), 1);
    lab.claim(
        "With a long look-back Flow-Attention in the same model forecasts about as well as softmax"
            + " attention",
        "Flowformer is general (arXiv 2202.06258)",
        PLAIN,
        far.ratioAtMost("squared error", FLOW, PLAIN, Result::mse, 1.05));
  }

  private static Measured<Result> forecasts(
      Forecasters forecasters, String name, int lookBack, int updates, int seeds) {
    ExperimentContext lab = forecasters.lab();
    int horizon = lab.pick(12, 24, 24);
    ForecastTrial linear =
        forecasters.trial(Forecasters.linear(lookBack, horizon), lab.pick(4, 1000, 5000), 1e-3);
    Arms<ForecastTrial> models =
        Arms.of(OURS, informer(lab, lookBack, horizon))
            .arm(PLAIN, plain(lab, lookBack, horizon))
            .arm(FLOW, config(lab, new FlowAttention.Config(HEADS), false, lookBack, horizon))
            .with(model -> forecasters.trial(model, updates, 5e-4))
            .control(LINEAR, linear)
            .seeds(LINEAR, 1);
    Measured<Result> all = forecasters.learn(name, seeds, models).and(forecasters.naive(linear));
    lab.table(
        Forecasters.table(
            all,
            "Forecasts of " + horizon + " rows from " + lookBack + ", ETTh1, test rows",
            column("ms an update", r -> r.steps() == 0 ? 0 : 1e3 * r.seconds() / r.steps()),
            column("updates", Result::steps)));
    return all;
  }
}
