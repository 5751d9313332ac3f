package dev.jformer.studies.forecasting;

import com.google.auto.service.AutoService;
import dev.jformer.data.series.NaiveForecast;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.linear.FlowAttention;
import dev.jformer.mixer.sparse.ProbSparseAttention;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.model.forecast.Informer;
import dev.jformer.model.forecast.LinearForecaster;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.Ett;
import dev.jformer.studies.trial.ForecastTrial;
import dev.jformer.studies.trial.ForecastTrial.Result;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.EnumMap;
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
  private static final int SEASON = 24;

  private enum Mixer {
    SPARSE("ProbSparse attention", new ProbSparseAttention.Config(HEADS, 5)),
    SOFTMAX("softmax attention", new SoftmaxAttention.Config(HEADS, 0)),
    FLOW("Flow-Attention", new FlowAttention.Config(HEADS));

    private final String title;
    private final TokenMixer.Config config;

    Mixer(String title, TokenMixer.Config config) {
      this.title = title;
      this.config = config;
    }
  }

  /** Seconds of a forecast. */
  public record Times(double generative, double stepByStep) {}

  @Override
  public String slug() {
    return "informer";
  }

  @Override
  public void run(ExperimentContext lab) {
    costs(lab);
    decoding(lab);
    Ett data = Ett.of(lab);
    Scale scale = lab.scale();
    Map<String, List<Result>> usual =
        forecasts(lab, data, "", scale.pick(24, 96, 96), scale.pick(12, 24, 24), 0);
    double ours = mse(usual, "Informer");
    lab.claim(
        "Informer forecasts better than the plain Transformer",
        "outperforms existing methods (abstract); 0.577 on ETTh1, 24 rows (table 2)",
        Check.below("squared error", ours, mse(usual, "plain Transformer")));
    lab.claim(
        "Informer beats the linear model and forecasts without learning",
        "",
        Check.all(
            Check.below("squared error, against DLinear's", ours, mse(usual, "DLinear")),
            Check.below("against a day before", ours, mse(usual, "value a day before"))));
    Map<String, List<Result>> far =
        forecasts(
            lab,
            data,
            "long look-back, ",
            scale.pick(48, 720, 720),
            scale.pick(12, 24, 24),
            scale.pick(4, 40, 2000));
    lab.claim(
        "With a long look-back Flow-Attention in the same model forecasts about as well as softmax"
            + " attention",
        "Flowformer is general (arXiv 2202.06258)",
        Check.atMost(
            "squared error as a multiple of softmax attention's",
            mse(far, Mixer.FLOW.title) / mse(far, "plain Transformer"),
            1.05));
    lab.note(
        "Models over time steps have width "
            + width(scale)
            + " where the paper's have 512, and are trained for a fixed number of updates, the same"
            + " for all. The paper's code mixes heads and rows in the decoder's ProbSparse attention"
            + " by the order in memory that a result is read in; here they stay in their places.");
    if (scale == Scale.SMOKE) {
      lab.note("At this scale the series is made up.");
    }
  }

  private static int width(Scale scale) {
    return scale.pick(8, 64, 512);
  }

  // ---- Cost

  private static void costs(ExperimentContext lab) {
    int width = lab.scale().pick(16, 256, 512);
    int[] sizes =
        lab.scale()
            .pick(
                new int[] {64, 128, 256},
                new int[] {512, 1024, 2048, 4096, 8192},
                new int[] {512, 1024, 2048, 4096, 8192, 16_384});
    Map<Mixer, Cost> costs = new EnumMap<>(Mixer.class);
    List<Figure.Series> curves = new ArrayList<>();
    for (Mixer mixer : List.of(Mixer.SPARSE, Mixer.SOFTMAX)) {
      Cost cost =
          lab.measure("cost of " + mixer.title, Cost.class, () -> cost(mixer.config, width, sizes));
      costs.put(mixer, cost);
      curves.add(
          Figure.Series.line(
              mixer.title,
              cost.points().stream().map(p -> (double) p.size()).toList(),
              cost.points().stream().map(p -> 1e3 * p.seconds()).toList()));
    }
    Cost sparse = costs.get(Mixer.SPARSE);
    Cost softmax = costs.get(Mixer.SOFTMAX);
    lab.claim(
        "ProbSparse attention's time and memory are near linear",
        "O(L log L) (abstract)",
        Check.all(
            Check.atMost("exponent of time", sparse.timeExponent(sizes[0]), EXPONENT),
            Check.atMost("exponent of memory", sparse.memoryExponent(sizes[0]), EXPONENT)),
        "From "
            + sizes[0]
            + " to "
            + sizes[sizes.length - 1]
            + " rows. Softmax attention on the fused kernel: "
            + Check.number(softmax.timeExponent(sizes[0]))
            + " and "
            + Check.number(softmax.memoryExponent(sizes[0]))
            + ".");
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < sizes.length; i++) {
      Cost.Point a = sparse.points().get(i);
      Cost.Point b = softmax.points().get(i);
      rows.add(
          Table.row(
              sizes[i], 1e3 * a.seconds(), a.bytes() / 1e6, 1e3 * b.seconds(), b.bytes() / 1e6));
    }
    lab.table(
        new Table(
            "A layer forward and backward on one series, width " + width,
            List.of("rows", "ProbSparse (ms)", "ProbSparse (MB)", "softmax (ms)", "softmax (MB)"),
            rows));
    lab.figure(
        new Figure("Time of a layer, forward and backward", "rows", "ms", true, true, curves));
  }

  private static Cost cost(TokenMixer.Config config, int width, int[] sizes) {
    List<TokenMixer> layers = new ArrayList<>();
    try {
      return Cost.measure(
          sizes,
          rows -> {
            BlockContext context =
                new BlockContext(
                    width,
                    0,
                    1,
                    rows,
                    false,
                    false,
                    0,
                    new BlockContext.Init(),
                    new Linear.Config());
            Position none = new NoPosition.Config().build(width, HEADS, width / HEADS, rows);
            TokenMixer built = config.build(context, none);
            layers.add(built);
            Tensor x = Tensor.randn(1, rows, width);
            Tensor g = Tensor.randn(1, rows, width);
            return () -> {
              built.clearGrads();
              built.forward(x, null).backward(g);
            };
          });
    } finally {
      layers.forEach(TokenMixer::close);
    }
  }

  // ---- Decoding

  private static void decoding(ExperimentContext lab) {
    int lookBack = lab.scale().pick(24, 336, 720);
    int horizon = lab.scale().pick(24, 720, 720);
    Times times =
        lab.measure(
            "decoding " + horizon + " rows",
            Times.class,
            () -> {
              Informer.Config informer =
                  config(lab.scale(), Mixer.SPARSE.config, true, lookBack, horizon);
              Informer.Config plain =
                  config(lab.scale(), Mixer.SOFTMAX.config, false, lookBack, horizon);
              return new Times(time(informer, false), time(plain, true));
            });
    lab.claim(
        "Generative decoding of "
            + horizon
            + " rows is many times faster than the plain decoder, a row at a time",
        "one forward operation rather than step by step (abstract)",
        Check.atLeast("times as fast", times.stepByStep() / times.generative(), FASTER));
    lab.table(
        new Table(
            "One forecast of " + horizon + " rows from " + lookBack,
            List.of("decoding", "ms"),
            List.of(
                Table.row("Informer, all at once", 1e3 * times.generative()),
                Table.row("plain Transformer, a row at a time", 1e3 * times.stepByStep()))));
  }

  private static double time(Informer.Config config, boolean steps) {
    try (Informer model = config.build();
        Mode mode = Autograd.noGrad()) {
      model.train(false);
      Tensor past = Tensor.randn(1, config.lookBack(), config.variates());
      Tensor days = Tensor.rand(1, config.lookBack(), config.calendar());
      Tensor next = Tensor.rand(1, config.horizon(), config.calendar());
      double best = Double.POSITIVE_INFINITY;
      for (int run = 0; run < 3; run++) {
        long start = System.nanoTime();
        try (Scope scope = Scope.open()) {
          if (steps) {
            model.forecastStepByStep(past, days, next);
          } else {
            model.forecast(past, days, next);
          }
        }
        best = Math.min(best, (System.nanoTime() - start) / 1e9);
      }
      return best;
    }
  }

  // ---- Forecasts

  private static Informer.Config config(
      Scale scale, TokenMixer.Config mixer, boolean distil, int lookBack, int horizon) {
    return new Informer.Config()
        .with(
            c ->
                c.variates(7)
                    .calendar(4)
                    .lookBack(lookBack)
                    .horizon(horizon)
                    .label(Math.min(48, lookBack / 2))
                    .encoderLayers(2)
                    .decoderLayers(1)
                    .width(width(scale))
                    .crossHeads(HEADS)
                    .distil(distil))
        .withBlock(
            b ->
                b.mixer(mixer)
                    .ffn(new Mlp.Config(Activation.GELU, 4, 0))
                    .init(new BlockContext.Init(0.07, false)));
  }

  /**
   * @param most updates at most; 0 for what suits the usual look-back
   */
  private static Map<String, List<Result>> forecasts(
      ExperimentContext lab, Ett data, String prefix, int lookBack, int horizon, int most) {
    Scale scale = lab.scale();
    Map<String, ForecastModel.Config> models = new LinkedHashMap<>();
    models.put("Informer", config(scale, Mixer.SPARSE.config, true, lookBack, horizon));
    models.put("plain Transformer", config(scale, Mixer.SOFTMAX.config, false, lookBack, horizon));
    models.put(Mixer.FLOW.title, config(scale, Mixer.FLOW.config, false, lookBack, horizon));
    ForecastModel.Config linear = new LinearForecaster.Config(7, 4, lookBack, horizon, 25);
    models.put("DLinear", linear);
    Map<String, List<Result>> all = new LinkedHashMap<>();
    models.forEach(
        (name, model) -> {
          int steps = most > 0 ? most : scale.pick(4, 250, 2000);
          int updates = model == linear ? scale.pick(4, 1000, 5000) : steps;
          ForecastTrial trial =
              new ForecastTrial(model, data.split(), 10, updates, model == linear ? 1e-3 : 5e-4);
          int seeds = model == linear || most > 0 ? 1 : scale.pick(1, 2, 3);
          all.put(name, trial.learn(lab, data.series(), prefix + name, seeds));
        });
    ForecastTrial naive = new ForecastTrial(linear, data.split(), 1, 1, 1e-3);
    all.put(
        "last value",
        List.of(naive.of(data.series(), past -> NaiveForecast.lastValue(past, horizon))));
    all.put(
        "value a day before",
        List.of(naive.of(data.series(), past -> NaiveForecast.seasonal(past, horizon, SEASON))));
    List<List<String>> rows = new ArrayList<>();
    all.forEach(
        (name, results) ->
            rows.add(
                Table.row(
                    name,
                    Seeds.mean(results, Result::mse),
                    Seeds.mean(results, Result::mae),
                    Seeds.mean(results, r -> r.steps() == 0 ? 0 : 1e3 * r.seconds() / r.steps()),
                    Seeds.mean(results, r -> r.steps()))));
    lab.table(
        new Table(
            "Forecasts of " + horizon + " rows from " + lookBack + ", ETTh1, test rows",
            List.of(
                "model", "mean squared error", "mean absolute error", "ms an update", "updates"),
            rows));
    return all;
  }

  private static double mse(Map<String, List<Result>> all, String name) {
    return Seeds.mean(all.get(name), Result::mse);
  }
}
