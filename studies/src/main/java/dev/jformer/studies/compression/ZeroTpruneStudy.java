package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.computed;

import com.google.auto.service.AutoService;
import dev.jformer.compress.prune.TokenPruning;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.reduction.ClassAttentionReducer;
import dev.jformer.mixer.reduction.RandomTokenReducer;
import dev.jformer.mixer.reduction.TokenMerging;
import dev.jformer.mixer.reduction.TokenReducer;
import dev.jformer.mixer.reduction.ZeroTprune;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.trial.ImageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

/**
 * Zero-TPrune (arXiv 2305.17328) on a vision transformer trained here and on all-MiniLM-L6-v2: what
 * is lost when tokens leave without any training, beside other rules that drop or merge as many,
 * and what is gained in operations and in time.
 */
@AutoService(Study.class)
public final class ZeroTpruneStudy implements Study {
  private static final String OURS = "Zero-TPrune";

  /** Operations that are to be saved at least. */
  private static final double CUT = 0.3;

  /** A little loss: so many points, or percent of a score. */
  private static final double LITTLE = 1;

  /** The share of the gain that operations promise which is to be had in time. */
  private static final double REAL = 0.7;

  private static final int PAIRS = 120;
  private static final String WHOLE = "all tokens";
  private static final String RANDOM = "random";
  private static final ZeroTprune PAPER = new ZeroTprune();
  private static final Arms<TokenReducer> RULES =
      Arms.<TokenReducer>of(OURS, PAPER)
          .arm("importance only", new ZeroTprune(PAPER.rounds(), PAPER.low(), PAPER.high(), 0))
          .arm("class attention", new ClassAttentionReducer())
          .control(RANDOM, new RandomTokenReducer())
          .arm("merging", new TokenMerging());

  /**
   * A model whose tokens leave by a rule.
   *
   * @param share of the tokens that stays at each of the blocks
   * @param operations as a share of those of the model as it was
   * @param quality in percent
   */
  private record Point(double share, double operations, double quality) {
    double saved() {
      return 100 * (1 - operations);
    }
  }

  /** A model under a rule, with different shares of the tokens. */
  private record Curve(List<Point> points) {
    double quality() {
      return points.stream().mapToDouble(Point::quality).average().orElse(Double.NaN);
    }
  }

  /**
   * A model under all rules.
   *
   * @param quality as it was, in percent
   */
  private record Curves(double quality, Map<String, Curve> byRule) {}

  /**
   * How fast a model is, whose tokens leave.
   *
   * @param ideal by rule, times as fast as operations promise
   * @param times of the model as it was and of the rules
   */
  private record Speeds(Map<String, Double> ideal, TimedArms times) {
    Estimate real(String rule) {
      return times.ratio(WHOLE, rule);
    }

    Estimate share(String rule) {
      return real(rule).plus(-1).times(1 / (ideal.get(rule) - 1));
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    Scale scale = lab.scale();
    Speeds imageSpeed = lab.measure("speed, images", Speeds.class, () -> imageSpeed(scale));
    Speeds textSpeed = lab.measure("speed, texts", Speeds.class, () -> textSpeed(scale));
    Curves images = lab.learn("images", images(scale), 1).get(0);
    Curves texts = lab.measure("texts", Curves.class, () -> texts(scale));
    report(lab, "vision transformer", "points of accuracy", images, imageSpeed);
    report(lab, "sentence encoder", "points of Spearman x 100", texts, textSpeed);
    lab.note(
        "Tokens leave in the middle of blocks 1 and 3 of 6, the same share of those left in each."
            + " The vision transformer has 65 tokens of width 64, one of them for the class, and"
            + " learns CIFAR-10 for 700 updates; its throughput is measured at the width of"
            + " DeiT-Tiny, 192, with random weights. The encoder is all-MiniLM-L6-v2, judged by the mean"
            + " Spearman correlation of "
            + PAIRS
            + " pairs of each of four STS files. No rule's settings were searched, where the paper"
            + " searches blocks and rates on a few images. Operations are those of matrix products;"
            + " what rules compute in plain loops is in the time alone.");
  }

  // ---- Quality

  private static List<Double> shares(Scale scale) {
    List<Double> shares = List.of(0.85, 0.75, 0.7, 0.6);
    return scale.pick(List.of(0.9, 0.7), shares, shares);
  }

  /** A model with one rule and share at blocks that suit its depth. */
  private static Model thinned(Model model, int layers, double share, TokenReducer rule) {
    List<Integer> blocks =
        layers == 6 ? List.of(1, 3) : layers == 12 ? List.of(3, 6, 9) : List.of(0);
    return new TokenPruning(blocks, share, rule).apply(model, null);
  }

  private static Curves curves(
      Scale scale, Model model, int layers, Consumer<Model> pass, ToDoubleFunction<Model> quality) {
    double whole = operations(model, pass);
    Map<String, Curve> curves = new LinkedHashMap<>();
    RULES
        .settings()
        .forEach(
            (name, rule) -> {
              List<Point> points = new ArrayList<>();
              for (double share : shares(scale)) {
                try (Model thin = thinned(model, layers, share, rule)) {
                  double done = operations(thin, pass) / whole;
                  points.add(new Point(share, done, quality.applyAsDouble(thin)));
                }
              }
              curves.put(name, new Curve(points));
            });
    return new Curves(quality.applyAsDouble(model), curves);
  }

  private static double operations(Model model, Consumer<Model> pass) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      return Flops.of(() -> pass.accept(model));
    }
  }

  private static int layers(Scale scale) {
    return scale.pick(2, 6, 12);
  }

  private static ImageModel.Config config(Scale scale, int width) {
    return new VisionTransformer.Config()
        .with(c -> c.pool(VisionTransformer.Pool.TOKEN).stem(VisionTransformer.Stem.CONVOLUTIONAL))
        .withStack(s -> s.layers(layers(scale)).width(width))
        .withBlock(b -> b.mixer(new SoftmaxAttention.Config(scale.pick(2, 4, 6), 0)));
  }

  private static Trial<Curves> images(Scale scale) {
    int steps = scale.pick(2, 700, 100_000);
    TrainingConfig training = Small.training(steps, scale.pick(4, 64, 128), 1).withSteps(steps, 1);
    return new ImageTrial(scale, config(scale, scale.pick(8, 64, 384)), training, 0)
        .examined(
            Curves.class,
            (model, images, result) -> {
              Tensor one = Tensor.zeros(1, 3, 32, 32);
              return curves(
                  scale,
                  model,
                  layers(scale),
                  m -> ((ImageModel) m).logits(one),
                  m -> 100 * images.accuracy((ImageModel) m));
            });
  }

  private static Curves texts(Scale scale) {
    try (TextPairs pairs = new TextPairs(scale, PAIRS)) {
      Tensor ids = Tensor.randint(0, 200, 1, scale.pick(16, 32, 32));
      return curves(
          scale,
          pairs.model(),
          pairs.model().config().layers(),
          m -> ((Encoder) m).pooled(ids, null),
          m -> pairs.score((Encoder) m));
    }
  }

  // ---- Speed

  /** On a model of random weights: how fast it is does not depend on them. */
  private static Speeds imageSpeed(Scale scale) {
    Random.seed(1);
    try (ImageModel model = config(scale, scale.pick(8, 192, 384)).build()) {
      model.train(false);
      Tensor images = Tensor.rand(scale.pick(2, 32, 32), 3, 32, 32);
      return speeds(scale, model, layers(scale), m -> ((ImageModel) m).logits(images));
    }
  }

  private static Speeds textSpeed(Scale scale) {
    try (TextPairs pairs = new TextPairs(scale, PAIRS)) {
      Tensor ids = Tensor.randint(0, 200, scale.pick(2, 16, 32), scale.pick(16, 64, 128));
      int layers = pairs.model().config().layers();
      return speeds(scale, pairs.model(), layers, m -> ((Encoder) m).pooled(ids, null));
    }
  }

  private static Speeds speeds(Scale scale, Model model, int layers, Consumer<Model> pass) {
    double share = shares(scale).get(shares(scale).size() / 2); // saves a third of the operations
    Map<String, Model> thin = new LinkedHashMap<>();
    RULES.settings().forEach((name, rule) -> thin.put(name, thinned(model, layers, share, rule)));
    try (Mode mode = Autograd.noGrad()) {
      double whole = operations(model, pass);
      Map<String, Double> ideal = new LinkedHashMap<>();
      Map<String, Runnable> work = new LinkedHashMap<>();
      work.put(WHOLE, () -> pass.accept(model));
      thin.forEach(
          (name, each) -> {
            ideal.put(name, whole / operations(each, pass));
            work.put(name, () -> pass.accept(each));
          });
      // Rules run in Java, which takes a while until it is compiled.
      return new Speeds(
          ideal, TimedArms.measure(work, scale.pick(1, 10, 10), scale.pick(1, 9, 15)));
    } finally {
      thin.values().forEach(Model::close);
    }
  }

  // ---- Report

  private static void report(
      ExperimentContext lab, String model, String unit, Curves found, Speeds speeds) {
    Measured<Curve> rules = Measured.of(found.byRule());
    lab.table(
        rules
            .parts(Curve::points)
            .table(
                "The " + model + ", of " + Check.number(found.quality()) + " " + unit,
                "rule",
                column("stay at each block (%)", p -> 100 * p.share()),
                column("operations saved (%)", Point::saved),
                column("quality", Point::quality),
                column("lost", p -> found.quality() - p.quality())));
    lab.figure(
        rules.figure(
            "The " + model,
            "operations saved (%)",
            unit,
            Measured.Curve.line(Curve::points, Point::saved, Point::quality)));
    lab.table(
        Measured.of(speeds.ideal())
            .table(
                "Throughput of the " + model + ", times that of the model as it was",
                "rule",
                column("as operations promise", ideal -> ideal),
                computed("measured", arm -> speeds.real(arm.name())),
                computed("share of the gain", arm -> speeds.share(arm.name()))));
    claims(lab, model, found.quality(), rules, speeds);
  }

  private static void claims(
      ExperimentContext lab, String model, double quality, Measured<Curve> rules, Speeds speeds) {
    List<Point> ours = rules.first(OURS).points();
    Point enough =
        ours.stream()
            .filter(p -> 1 - p.operations() >= CUT)
            .findFirst()
            .orElse(ours.get(ours.size() - 1));
    lab.claim(
        "Of the " + model + ", 30 % of the operations can be saved with little loss",
        "34.7 % fewer operations, 0.4 points lost of DeiT-S",
        Check.all(
            Check.atLeast("operations saved", 1 - enough.operations(), CUT),
            Check.atMost("points lost", quality - enough.quality(), LITTLE)));
    for (String rule : List.of(RANDOM, "class attention", "merging")) {
      lab.claim(
          "On the " + model + ", Zero-TPrune is better than " + rule + " at equal shares",
          "better than other methods without training (figure 5, table 3)",
          RANDOM,
          rules.above("mean quality", OURS, rule, Curve::quality));
    }
    lab.claim(
        "The " + model + " is faster by most of what operations promise",
        "45.3 % more throughput for 34.7 % fewer operations, which promise 53 %",
        Check.all(
            Check.above("times as fast", speeds.real(OURS), 1),
            Check.atLeast("share of the promised gain", speeds.share(OURS), REAL)));
  }
}
