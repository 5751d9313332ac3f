package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.extractor.HighExtractor;
import dev.jformer.mixer.extractor.MinimalistExtractor;
import dev.jformer.mixer.extractor.SuperHighExtractor;
import dev.jformer.mixer.extractor.WorthwhileExtractor;
import dev.jformer.model.CausalLm;
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
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Extractors in place of softmax attention (arXiv 2308.07661): the same language model with the
 * same settings on the same text, for the same number of updates; then the time of a layer alone as
 * sequences grow.
 */
@AutoService(Study.class)
public final class ExtractorsStudy implements Study {
  /** How near to attention's loss counts as near. */
  private static final double NEAR = 1.05;

  private static final int HEADS = 4;

  /** What mixes tokens, with what it costs by its definition; l tokens, D channels. */
  private enum Mixer {
    SOFTMAX("softmax attention", new SoftmaxAttention.Config(HEADS, 0), "4 D²", "4 D² + (l+1) D") {
      @Override
      double weights(double l, double d) {
        return 4 * d * d;
      }

      @Override
      double operations(double l, double d) {
        return 4 * d * d + (l + 1) * d;
      }
    },
    SHE("SHE", new SuperHighExtractor.Config(), "l D² + 2 D²", "2 D² + (l+1) D²/2 + D") {
      @Override
      double weights(double l, double d) {
        return l * d * d + 2 * d * d;
      }

      @Override
      double operations(double l, double d) {
        return 2 * d * d + (l + 1) * d * d / 2 + d;
      }
    },
    HE("HE", new HighExtractor.Config(), "l D + 3 D²", "3 D² + (l+1) D/2 + D") {
      @Override
      double weights(double l, double d) {
        return l * d + 3 * d * d;
      }

      @Override
      double operations(double l, double d) {
        return 3 * d * d + (l + 1) * d / 2 + d;
      }
    },
    WE("WE", new WorthwhileExtractor.Config(), "l D + 2 D²", "2 D² + (l+1) D/2 + D") {
      @Override
      double weights(double l, double d) {
        return l * d + 2 * d * d;
      }

      @Override
      double operations(double l, double d) {
        return 2 * d * d + (l + 1) * d / 2 + d;
      }
    },
    ME("ME", new MinimalistExtractor.Config(), "l + 2 D²", "2 D² + (l+1) D/2 + D") {
      @Override
      double weights(double l, double d) {
        return l + 2 * d * d;
      }

      @Override
      double operations(double l, double d) {
        return 2 * d * d + (l + 1) * d / 2 + d;
      }
    };

    private final String title;
    private final TokenMixer.Config config;
    private final String weightFormula;
    private final String operationFormula;

    Mixer(String title, TokenMixer.Config config, String weightFormula, String operationFormula) {
      this.title = title;
      this.config = config;
      this.weightFormula = weightFormula;
      this.operationFormula = operationFormula;
    }

    /** Weights of a layer without biases. */
    abstract double weights(double l, double d);

    /** Multiplications of a layer a token, on average over the l positions. */
    abstract double operations(double l, double d);
  }

  private static final List<Mixer> CHEAP = List.of(Mixer.HE, Mixer.WE, Mixer.ME);

  @Override
  public String slug() {
    return "extractors";
  }

  @Override
  public void run(ExperimentContext lab) {
    int width = lab.scale().pick(16, 64, 128);
    int length = lab.scale().pick(24, 64, 128);
    int seeds = lab.scale().pick(1, 3, 3);
    Map<Mixer, List<TrainingResult>> runs = new EnumMap<>(Mixer.class);
    for (Mixer mixer : Mixer.values()) {
      runs.put(mixer, lab.learn(mixer.title, trial(lab.scale(), mixer, width, length), seeds));
    }
    learning(lab, runs, width, length);
    costs(lab, lab.scale().pick(16, 64, 128));
    lab.note(
        "Only the published summary of the paper was at hand: widths, lengths and data are not"
            + " the paper's, and what it leaves open was settled as the Extractors' documentation"
            + " says. All models have the same settings throughout, as the paper's have.");
    lab.note(
        "Operations are multiplications of the definitions. SHE, HE and WE compute their sums by"
            + " Fourier transforms where sequences are long, with fewer.");
  }

  private static LanguageTrial trial(Scale scale, Mixer mixer, int width, int length) {
    int steps = scale.pick(3, 800, 20_000);
    CausalLm.Config model =
        new CausalLm.Config()
            .withLength(length)
            .withStack(
                s ->
                    s.layers(scale.pick(1, 3, 6))
                        .width(width)
                        .position(new dev.jformer.position.LearnedPosition.Config()))
            .withBlock(b -> b.mixer(mixer.config).bias(false));
    TrainingConfig training =
        new TrainingConfig()
            .with(
                t ->
                    t.steps(steps)
                        .batch(scale.pick(4, 16, 32))
                        .evaluateEvery(Math.max(1, steps / 8))
                        .checkpointEvery(steps));
    return new LanguageTrial(model, training, scale.pick(2, 40, 40), null);
  }

  private static long weights(Mixer mixer, int width, int length) {
    try (Scope scope = Scope.open();
        TokenMixer built = layer(mixer, width, length)) {
      return built.parameterCount();
    }
  }

  private static TokenMixer layer(Mixer mixer, int width, int length) {
    BlockContext site =
        new BlockContext(
            width, 0, 1, length, true, false, 0, new BlockContext.Init(), new Linear.Config());
    Position none = new NoPosition.Config().build(width, HEADS, width / HEADS, length);
    return mixer.config.build(site, none);
  }

  private static void learning(
      ExperimentContext lab, Map<Mixer, List<TrainingResult>> runs, int width, int length) {
    double attention = TrainingResult.loss(runs.get(Mixer.SOFTMAX));
    lab.claim(
        "SHE learns at least as well as softmax attention",
        "SHE evidently improves the performance of the Transformer (abstract)",
        Check.atMost(
            "loss of SHE, against attention,",
            TrainingResult.loss(runs.get(Mixer.SHE)),
            attention));
    for (Mixer mixer : CHEAP) {
      double loss = TrainingResult.loss(runs.get(mixer));
      lab.claim(
          mixer.title + " learns about as well as softmax attention, with fewer operations",
          "close to or better than self-attention with less computational complexity (abstract)",
          Check.all(
              Check.atMost("loss as a multiple of attention's", loss / attention, NEAR),
              Check.below(
                  "multiplications a token and layer",
                  mixer.operations(length, width),
                  Mixer.SOFTMAX.operations(length, width))));
    }
    List<Check> asSaid = new ArrayList<>();
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    for (Mixer mixer : Mixer.values()) {
      long weights = weights(mixer, width, length);
      double formula = mixer.weights(length, width);
      asSaid.add(
          Check.atMost(
              mixer.title + ": " + weights + " weights, off by", Math.abs(weights - formula), 0));
      List<TrainingResult> learned = runs.get(mixer);
      rows.add(
          Table.row(
              mixer.title,
              TrainingResult.loss(learned),
              TrainingResult.spread(learned),
              Seeds.mean(learned, run -> 1e3 * run.seconds() / run.steps()),
              Seeds.mean(learned, run -> run.peakBytes() / 1e6),
              learned.get(0).parameters(),
              weights,
              mixer.weightFormula,
              mixer.operations(length, width),
              mixer.operationFormula));
      curves.add(learned.get(0).curve(mixer.title));
    }
    lab.claim(
        "Weights grow with the length l and the width D as the definitions say",
        "SHE: O(l D²); the others linear in l",
        Check.all(asSaid.toArray(Check[]::new)));
    lab.table(
        new Table(
            "The same model with different mixers, width " + width + ", length " + length,
            List.of(
                "mixer",
                "loss (nats a byte)",
                "spread",
                "ms a step",
                "peak MB",
                "weights",
                "weights a layer",
                "formula",
                "multiplications a token and layer",
                "formula "),
            rows));
    lab.figure(
        new Figure("Learning, first seed", "updates", "held-out loss", false, false, curves));
  }

  private static void costs(ExperimentContext lab, int width) {
    int[] sizes =
        lab.scale()
            .pick(
                new int[] {32, 64, 128},
                new int[] {64, 128, 256, 512, 1024, 2048, 4096},
                new int[] {64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384});
    // SHE's matrices alone take l D² numbers, and several times that in training.
    int longestOfShe = lab.scale().pick(64, 512, 1024);
    Map<Mixer, Cost> costs = new EnumMap<>(Mixer.class);
    List<Figure.Series> curves = new ArrayList<>();
    for (Mixer mixer : Mixer.values()) {
      int[] own =
          Arrays.stream(sizes).filter(size -> mixer != Mixer.SHE || size <= longestOfShe).toArray();
      Cost cost = lab.measure("time of " + mixer.title, Cost.class, () -> time(mixer, width, own));
      costs.put(mixer, cost);
      curves.add(
          Figure.Series.line(
              mixer.title,
              cost.points().stream().map(p -> (double) p.size()).toList(),
              cost.points().stream().map(p -> 1e3 * p.seconds()).toList()));
    }
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < sizes.length; i++) {
      List<Object> row = new ArrayList<>();
      row.add(sizes[i]);
      for (Mixer mixer : Mixer.values()) {
        List<Cost.Point> points = costs.get(mixer).points();
        row.add(i < points.size() ? (Object) (1e3 * points.get(i).seconds()) : "");
      }
      rows.add(Table.row(row.toArray()));
    }
    List<String> columns = new ArrayList<>(List.of("tokens"));
    for (Mixer mixer : Mixer.values()) {
      columns.add(mixer.title + " (ms)");
    }
    lab.table(
        new Table("A layer forward and backward on one sequence, width " + width, columns, rows));
    lab.figure(
        new Figure("Time of a layer, forward and backward", "tokens", "ms", true, true, curves));
    int last = sizes.length - 1;
    Cost attention = costs.get(Mixer.SOFTMAX);
    for (Mixer mixer : CHEAP) {
      Cost cost = costs.get(mixer);
      lab.claim(
          mixer.title + " takes less time than softmax attention on long sequences",
          "able to run faster than self-attention (abstract)",
          Check.below(
              "ms for " + sizes[last] + " tokens",
              1e3 * cost.points().get(last).seconds(),
              1e3 * attention.points().get(last).seconds()),
          "faster from " + Check.number(cost.overtakes(attention)) + " tokens on");
    }
  }

  private static Cost time(Mixer mixer, int width, int[] sizes) {
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
}
