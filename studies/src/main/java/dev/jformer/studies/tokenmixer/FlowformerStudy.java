package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.Mlp;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.linear.FlowAttention;
import dev.jformer.mixer.linear.LinearAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.NormPlacement;
import dev.jformer.model.TokenClassifier;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.ListOps;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Listener;
import dev.jformer.train.Schedule;
import dev.jformer.train.Task;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.ToDoubleFunction;

/**
 * Flow-Attention (arXiv 2202.06258) beside softmax attention and plain linear attention: what they
 * cost as sequences grow, and how well they learn language, causally, and to evaluate nested lists,
 * with every token seeing all others.
 */
@AutoService(Study.class)
public final class FlowformerStudy implements Study {
  /** How near to softmax attention's loss counts as near. */
  private static final double NEAR = 1.05;

  /** How many points of accuracy below softmax attention's count as near. */
  private static final double NEAR_POINTS = 2;

  private static final double LINEAR_EXPONENT = 1.15;
  private static final int HEADS = 4;

  private enum Mixer {
    FLOW("Flow-Attention", new FlowAttention.Config(HEADS)),
    SOFTMAX("softmax attention", new SoftmaxAttention.Config(HEADS, 0)),
    LINEAR("linear attention", new LinearAttention.Config(HEADS));

    private final String title;
    private final TokenMixer.Config config;

    Mixer(String title, TokenMixer.Config config) {
      this.title = title;
      this.config = config;
    }
  }

  /**
   * What came of learning to evaluate lists.
   *
   * @param accuracy share of held-out lists whose result is right
   * @param seconds of training
   * @param losses held-out, on the way, after equally many updates each
   */
  public record Outcome(double accuracy, double seconds, List<Double> losses) {}

  @Override
  public String slug() {
    return "flowformer";
  }

  @Override
  public void run(ExperimentContext lab) {
    costs(lab);
    language(lab);
    lists(lab);
    lab.note(
        "Linear attention is that of arXiv 2006.16236, with elu(x) + 1 on queries and keys. Models"
            + " differ in the mixer alone, and have the same weights in number.");
    lab.note(
        "Softmax attention uses the engine's fused kernel, which holds no T×T matrix: its memory"
            + " is linear too, and less than that of either linear mixer.");
  }

  // ---- Cost

  private static void costs(ExperimentContext lab) {
    int width = lab.scale().pick(16, 256, 512);
    int[] sizes =
        lab.scale()
            .pick(
                new int[] {64, 128, 256},
                new int[] {128, 256, 512, 1024, 2048, 4096, 8192, 16_384},
                new int[] {128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768});
    int from = lab.scale().pick(64, 2048, 2048);
    Map<Mixer, Cost> costs = new EnumMap<>(Mixer.class);
    for (Mixer mixer : Mixer.values()) {
      costs.put(
          mixer,
          lab.measure("cost of " + mixer.title, Cost.class, () -> cost(mixer, width, sizes)));
    }
    Cost flow = costs.get(Mixer.FLOW);
    Cost softmax = costs.get(Mixer.SOFTMAX);
    int longest = sizes[sizes.length - 1];
    lab.claim(
        "Flow-Attention's time and memory are linear in the number of tokens",
        "linear complexity (abstract)",
        Check.all(
            Check.atMost("exponent of time", flow.timeExponent(from), LINEAR_EXPONENT),
            Check.atMost("exponent of memory", flow.memoryExponent(from), LINEAR_EXPONENT)),
        "From "
            + from
            + " to "
            + longest
            + " tokens. Softmax attention: "
            + Check.number(softmax.timeExponent(from))
            + " and "
            + Check.number(softmax.memoryExponent(from))
            + ".");
    lab.claim(
        "Causal Flow-Attention is faster than fused softmax attention on sequences of 2,048 tokens",
        "",
        Check.atMost("faster from tokens", flow.overtakes(softmax), 2048));
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < sizes.length; i++) {
      List<Object> row = new ArrayList<>(List.of(sizes[i]));
      for (Mixer mixer : Mixer.values()) {
        Cost.Point point = costs.get(mixer).points().get(i);
        row.add(1e3 * point.seconds());
        row.add(point.bytes() / 1e6);
      }
      rows.add(Table.row(row.toArray()));
    }
    List<String> columns = new ArrayList<>(List.of("tokens"));
    List<Figure.Series> times = new ArrayList<>();
    List<Figure.Series> memory = new ArrayList<>();
    for (Mixer mixer : Mixer.values()) {
      columns.add(mixer.title + " (ms)");
      columns.add(mixer.title + " (MB)");
      times.add(series(mixer, costs.get(mixer), p -> 1e3 * p.seconds()));
      memory.add(series(mixer, costs.get(mixer), p -> p.bytes() / 1e6));
    }
    lab.table(
        new Table(
            "A causal layer forward and backward on one sequence, width "
                + width
                + ", "
                + HEADS
                + " heads: time, and the most memory beside weights and input",
            columns,
            rows));
    lab.figure(
        new Figure("Time of a layer, forward and backward", "tokens", "ms", true, true, times));
    lab.figure(
        new Figure("Memory of a layer, forward and backward", "tokens", "MB", true, true, memory));
  }

  private static Figure.Series series(
      Mixer mixer, Cost cost, ToDoubleFunction<Cost.Point> measure) {
    return Figure.Series.line(
        mixer.title,
        cost.points().stream().map(p -> (double) p.size()).toList(),
        cost.points().stream().map(measure::applyAsDouble).toList());
  }

  private static Cost cost(Mixer mixer, int width, int[] sizes) {
    List<TokenMixer> layers = new ArrayList<>();
    try {
      return Cost.measure(
          sizes,
          tokens -> {
            TokenMixer built = layer(mixer, width, tokens);
            layers.add(built);
            Tensor x = Tensor.randn(1, tokens, width);
            Tensor g = Tensor.randn(1, tokens, width);
            return () -> {
              built.clearGrads();
              built.forward(x, null).backward(g);
            };
          });
    } finally {
      layers.forEach(TokenMixer::close);
    }
  }

  private static TokenMixer layer(Mixer mixer, int width, int length) {
    BlockContext site =
        new BlockContext(
            width, 0, 1, length, true, false, 0, new BlockContext.Init(), new Linear.Config());
    Position none = new NoPosition.Config().build(width, HEADS, width / HEADS, length);
    return mixer.config.build(site, none);
  }

  // ---- Language

  private static void language(ExperimentContext lab) {
    int seeds = lab.scale().pick(1, 3, 3);
    Map<Mixer, List<TrainingResult>> runs = new EnumMap<>(Mixer.class);
    for (Mixer mixer : Mixer.values()) {
      runs.put(mixer, lab.learn("language, " + mixer.title, trial(lab.scale(), mixer), seeds));
    }
    double flow = TrainingResult.loss(runs.get(Mixer.FLOW));
    double softmax = TrainingResult.loss(runs.get(Mixer.SOFTMAX));
    lab.claim(
        "Flow-Attention learns language about as well as softmax attention",
        "perplexity 30.8 against 33.0 on WikiText-103 (the authors' summary)",
        Check.atMost("loss as a multiple of softmax attention's", flow / softmax, NEAR));
    lab.claim(
        "Flow-Attention learns language better than linear attention",
        "perplexity 30.8 against 37.5 of Performer, another linear attention (authors' summary)",
        Check.below("loss", flow, TrainingResult.loss(runs.get(Mixer.LINEAR))));
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    runs.forEach(
        (mixer, learned) -> {
          rows.add(
              Table.row(
                  mixer.title,
                  TrainingResult.loss(learned),
                  TrainingResult.spread(learned),
                  Seeds.mean(learned, run -> 1e3 * run.seconds() / run.steps()),
                  Seeds.mean(learned, run -> run.peakBytes() / 1e6),
                  learned.get(0).parameters()));
          curves.add(learned.get(0).curve(mixer.title));
        });
    lab.table(
        new Table(
            "Language models at equal updates",
            List.of("mixer", "loss (nats a byte)", "spread", "ms a step", "peak MB", "weights"),
            rows));
    lab.figure(
        new Figure(
            "Language models, first seed", "updates", "held-out loss", false, false, curves));
  }

  private static LanguageTrial trial(Scale scale, Mixer mixer) {
    int steps = scale.pick(3, 800, 40_000);
    CausalLm.Config model =
        new CausalLm.Config(
            scale.pick(1, 3, 6),
            scale.pick(16, 64, 512),
            256,
            scale.pick(24, 128, 512),
            new dev.jformer.position.LearnedPosition.Config(),
            mixer.config,
            new Mlp.Config(),
            new Norm.LayerNormConfig(),
            NormPlacement.PRE,
            true,
            true,
            0,
            new BlockContext.Init(),
            new Linear.Config());
    TrainingConfig training = training(steps, scale.pick(4, 16, 32), 1);
    return new LanguageTrial(model, training, scale.pick(2, 40, 40), null);
  }

  private static TrainingConfig training(int steps, int batch, long seed) {
    return new TrainingConfig(
        steps,
        batch,
        1,
        1e-3,
        new Schedule(),
        new AdamW.Config(),
        1,
        TrainingConfig.Precision.FLOAT32,
        0,
        Math.max(1, steps / 10),
        steps,
        0,
        seed);
  }

  // ---- Lists

  private static void lists(ExperimentContext lab) {
    int seeds = lab.scale().pick(1, 3, 3);
    ListOps problems =
        lab.scale().pick(new ListOps(24, 2, 3), new ListOps(64, 3, 4), new ListOps(2000, 10, 10));
    Map<Mixer, List<Outcome>> all = new EnumMap<>(Mixer.class);
    for (Mixer mixer : Mixer.values()) {
      List<Outcome> outcomes = new ArrayList<>();
      for (int seed = 1; seed <= seeds; seed++) {
        int s = seed;
        outcomes.add(
            lab.measure(
                "lists, " + mixer.title + ", seed " + seed,
                Outcome.class,
                progress -> evaluateLists(lab.scale(), problems, mixer, s, progress)));
      }
      all.put(mixer, outcomes);
    }
    double flow = 100 * Seeds.mean(all.get(Mixer.FLOW), Outcome::accuracy);
    double softmax = 100 * Seeds.mean(all.get(Mixer.SOFTMAX), Outcome::accuracy);
    double linear = 100 * Seeds.mean(all.get(Mixer.LINEAR), Outcome::accuracy);
    lab.claim(
        "Flow-Attention classifies lists about as well as softmax attention",
        "73.0 against 71.9 % on time series; softmax attention is not in their Long Range Arena",
        Check.atLeast("accuracy (%)", flow, softmax - NEAR_POINTS));
    lab.claim(
        "Flow-Attention classifies lists better than linear attention",
        "56.48 against Performer's 51.41 % on the Long Range Arena (authors' summary)",
        Check.above("accuracy (%)", flow, linear));
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    all.forEach(
        (mixer, outcomes) -> {
          List<Object> row = new ArrayList<>(List.of(mixer.title));
          row.add(100 * Seeds.mean(outcomes, Outcome::accuracy));
          row.add(
              String.join(
                  ", ", outcomes.stream().map(o -> Check.number(100 * o.accuracy())).toList()));
          row.add(Seeds.mean(outcomes, o -> o.losses().get(o.losses().size() - 1)));
          row.add(Seeds.mean(outcomes, Outcome::seconds));
          rows.add(Table.row(row.toArray()));
          List<Double> losses = outcomes.get(0).losses();
          int every = listSteps(lab.scale()) / losses.size();
          List<Double> updates = new ArrayList<>();
          for (int i = 1; i <= losses.size(); i++) {
            updates.add((double) i * every);
          }
          curves.add(Figure.Series.line(mixer.title, updates, losses));
        });
    lab.table(
        new Table(
            "Results of nested lists of up to "
                + problems.length()
                + " tokens, "
                + problems.depth()
                + " deep; chance 10 %",
            List.of("mixer", "accuracy (%)", "by seed", "held-out cross-entropy", "seconds"),
            rows));
    lab.figure(
        new Figure(
            "Nested lists, first seed", "updates", "cross-entropy (nats)", false, false, curves));
  }

  private static int listSteps(Scale scale) {
    return scale.pick(10, 1500, 5000);
  }

  private static Outcome evaluateLists(
      Scale scale, ListOps problems, Mixer mixer, long seed, DoubleConsumer progress) {
    TokenClassifier.Config config =
        new TokenClassifier.Config(
            scale.pick(1, 3, 4),
            scale.pick(16, 64, 512),
            ListOps.VOCAB,
            ListOps.LABELS,
            problems.length(),
            new dev.jformer.position.LearnedPosition.Config(),
            mixer.config,
            new Mlp.Config(),
            new Norm.LayerNormConfig(),
            NormPlacement.PRE,
            true,
            0,
            new BlockContext.Init(),
            new Linear.Config());
    TrainingConfig training = training(listSteps(scale), scale.pick(8, 32, 32), seed);
    Random.seed(seed);
    try (TokenClassifier model = config.build()) {
      Reading reading = new Reading(model, problems, training, scale.pick(50, 2000, 2000));
      try (Trainer trainer = new Trainer(model, reading, training, null)) {
        trainer.addListener(
            new Listener() {
              @Override
              public void step(Step step) {
                progress.accept((double) step.step() / training.steps());
              }
            });
        long start = System.nanoTime();
        trainer.run();
        double seconds = (System.nanoTime() - start) / 1e9;
        return new Outcome(reading.accuracy, seconds, List.copyOf(reading.losses));
      }
    }
  }

  /** Fresh lists in every batch; the same held-out ones in every evaluation. */
  private static final class Reading implements Task {
    /** Lists held out are drawn from here, far from where those to learn from are. */
    private static final long HELD_OUT = -1_000_000_000L;

    private static final int PART = 250;

    private final TokenClassifier model;
    private final ListOps problems;
    private final TrainingConfig training;
    private final int heldOut;
    private final List<Double> losses = new ArrayList<>();
    private double accuracy;

    Reading(TokenClassifier model, ListOps problems, TrainingConfig training, int heldOut) {
      this.model = model;
      this.problems = problems;
      this.training = training;
      this.heldOut = heldOut;
    }

    @Override
    public Tensor loss(long index) {
      long seed = training.seed() * training.steps() + index;
      ListOps.Batch batch = problems.batch(training.batch(), seed);
      return model.loss(batch.ids(), batch.paddingMask(), batch.targets());
    }

    @Override
    public long unitsPerBatch() {
      return training.batch();
    }

    @Override
    public String unit() {
      return "lists";
    }

    @Override
    public Metrics evaluate() {
      double loss = 0;
      double right = 0;
      int parts = (heldOut + PART - 1) / PART;
      for (int part = 0; part < parts; part++) {
        try (Scope scope = Scope.open();
            Mode mode = Autograd.noGrad()) {
          ListOps.Batch batch = problems.batch(Math.min(PART, heldOut), HELD_OUT + part);
          loss += model.loss(batch.ids(), batch.paddingMask(), batch.targets()).item() / parts;
          Tensor best = model.logits(batch.ids(), batch.paddingMask()).select(1, 0).argmax(1);
          right += best.eq(batch.targets().select(1, 0)).to(DType.FLOAT64).mean().item() / parts;
        }
      }
      losses.add(loss);
      accuracy = right;
      return Metrics.ofLoss(loss, "nats").with(Metric.higher(Metric.ACCURACY, right, ""));
    }
  }
}
