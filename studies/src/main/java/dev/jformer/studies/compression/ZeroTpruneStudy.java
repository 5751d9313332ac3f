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
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.trial.ImageTrial;
import dev.jformer.studies.trial.Seeds;
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
   * A model of which a share of the tokens stays at each of the blocks: its operations, as a share
   * of those of the model as it was, and its quality in percent.
   */
  private record Point(double share, double operations, double quality) {
    double saved() {
      return 100 * (1 - operations);
    }
  }

  /** A model under a rule, with different shares of the tokens, and its quality without. */
  private record Curve(double whole, List<Point> points) {
    double quality() {
      return Seeds.mean(points, Point::quality);
    }
  }

  /** How many times as fast a model is under a rule: as operations promise, and as measured. */
  private record Speed(double ideal, Estimate real) {
    Estimate share() {
      return real.plus(-1).times(1 / (ideal - 1));
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    Measured<Speed> imageSpeeds =
        lab.measureTogether("speed, images", Speed.class, progress -> imageSpeeds(lab));
    Measured<Speed> textSpeeds =
        lab.measureTogether("speed, texts", Speed.class, progress -> textSpeeds(lab));
    Measured<Curve> images =
        lab.learnTogether("images", Curve.class, 1, session -> imageCurves(lab, session));
    Measured<Curve> texts = lab.measureTogether("texts", Curve.class, progress -> textCurves(lab));
    report(lab, "vision transformer", "points of accuracy", images, imageSpeeds);
    report(lab, "sentence encoder", "points of Spearman x 100", texts, textSpeeds);
    lab.note(
        "Tokens leave in the middle of blocks 1 and 3 of 6, the same share of those left in each."
            + " The vision transformer has 65 tokens of width 64, one of them for the class, and"
            + " learns CIFAR-10 for 700 updates; its throughput is measured at the width of"
            + " DeiT-Tiny, 192, with random weights. No rule's settings were searched, where the"
            + " paper searches blocks and rates on a few images. Operations are those of matrix"
            + " products; what rules compute in plain loops is in the time alone.");
    lab.note(TextPairs.NOTE);
  }

  private static List<Double> shares(ExperimentContext lab) {
    List<Double> shares = List.of(0.85, 0.75, 0.7, 0.6);
    return lab.pick(List.of(0.9, 0.7), shares, shares);
  }

  /** A model, the blocks at which tokens leave, and a pass of it or of one with fewer tokens. */
  private record Whole(Model model, List<Integer> blocks, Consumer<Model> pass) {
    Model thinned(double share, TokenReducer rule) {
      return new TokenPruning(blocks, share, rule).apply(model, null);
    }

    /** The operations of a pass, as a share of those of the whole model. */
    double operations(Model made) {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        return Flops.of(() -> pass.accept(made)) / Flops.of(() -> pass.accept(model));
      }
    }
  }

  private static Whole images(ExperimentContext lab, ImageModel model, Tensor images) {
    List<Integer> blocks = lab.pick(List.of(0), List.of(1, 3), List.of(3, 6, 9));
    return new Whole(model, blocks, made -> ((ImageModel) made).logits(images));
  }

  private static Whole texts(ExperimentContext lab, Encoder model, Tensor ids) {
    List<Integer> blocks = lab.pick(List.of(0), List.of(1, 3), List.of(1, 3));
    return new Whole(model, blocks, made -> ((Encoder) made).pooled(ids, null));
  }

  private static Map<String, Curve> curves(
      ExperimentContext lab, Whole whole, ToDoubleFunction<Model> quality) {
    double before = quality.applyAsDouble(whole.model());
    return RULES.map(
        (name, rule) -> {
          List<Point> points = new ArrayList<>();
          for (double share : shares(lab)) {
            try (Model thin = whole.thinned(share, rule)) {
              points.add(new Point(share, whole.operations(thin), quality.applyAsDouble(thin)));
            }
          }
          return new Curve(before, points);
        });
  }

  private static ImageModel.Config config(ExperimentContext lab, int width) {
    return new VisionTransformer.Config()
        .with(c -> c.pool(VisionTransformer.Pool.TOKEN).stem(VisionTransformer.Stem.CONVOLUTIONAL))
        .withStack(s -> s.layers(lab.pick(2, 6, 12)).width(width))
        .withBlock(b -> b.mixer(new SoftmaxAttention.Config(lab.pick(2, 4, 6), 0)));
  }

  private static Map<String, Curve> imageCurves(ExperimentContext lab, Trial.Session session) {
    int steps = lab.pick(2, 700, 100_000);
    TrainingConfig training = Small.training(steps, lab.pick(4, 64, 128), 1).withSteps(steps, 1);
    Tensor one = Tensor.zeros(1, 3, 32, 32);
    return new ImageTrial(lab.scale(), config(lab, lab.pick(8, 64, 384)), training, 0)
        .examine(
            session,
            (model, images, result) ->
                curves(
                    lab,
                    images(lab, model, one),
                    made -> 100 * images.accuracy((ImageModel) made)));
  }

  private static Map<String, Curve> textCurves(ExperimentContext lab) {
    try (TextPairs pairs = new TextPairs(lab.scale())) {
      Tensor ids = Tensor.randint(0, 200, 1, lab.pick(16, 32, 32));
      return curves(lab, texts(lab, pairs.model(), ids), made -> pairs.score((Encoder) made));
    }
  }

  /** On a model of random weights: how fast it is does not depend on them. */
  private static Map<String, Speed> imageSpeeds(ExperimentContext lab) {
    Random.seed(1);
    try (ImageModel model = config(lab, lab.pick(8, 192, 384)).build()) {
      model.train(false);
      return speeds(lab, images(lab, model, Tensor.rand(lab.pick(2, 32, 32), 3, 32, 32)));
    }
  }

  private static Map<String, Speed> textSpeeds(ExperimentContext lab) {
    try (TextPairs pairs = new TextPairs(lab.scale())) {
      Tensor ids = Tensor.randint(0, 200, lab.pick(2, 16, 32), lab.pick(16, 64, 128));
      return speeds(lab, texts(lab, pairs.model(), ids));
    }
  }

  private static Map<String, Speed> speeds(ExperimentContext lab, Whole whole) {
    double share = shares(lab).get(shares(lab).size() / 2); // saves a third of the operations
    Arms<Model> thin = Arms.of(RULES.map((name, rule) -> whole.thinned(share, rule)));
    try (Mode mode = Autograd.noGrad()) {
      // Rules run in Java, which takes a while until it is compiled.
      TimedArms times =
          TimedArms.measure(
              thin.control(WHOLE, whole.model()).with(made -> () -> whole.pass().accept(made)),
              lab.pick(1, 10, 10),
              lab.pick(1, 9, 15));
      return thin.map(
          (name, made) -> new Speed(1 / whole.operations(made), times.ratio(WHOLE, name)));
    } finally {
      thin.settings().values().forEach(Model::close);
    }
  }

  private static void report(
      ExperimentContext lab,
      String model,
      String unit,
      Measured<Curve> rules,
      Measured<Speed> speeds) {
    double whole = rules.first(OURS).whole();
    lab.table(
        rules
            .parts(Curve::points)
            .table(
                "The " + model + ", of " + Check.number(whole) + " " + unit,
                "rule",
                column("stay at each block (%)", p -> 100 * p.share()),
                column("operations saved (%)", Point::saved),
                column("quality", Point::quality),
                column("lost", p -> whole - p.quality())));
    lab.figure(
        rules.figure(
            "The " + model,
            "operations saved (%)",
            unit,
            Measured.Curve.line(Curve::points, Point::saved, Point::quality)));
    lab.table(
        speeds.table(
            "Throughput of the " + model + ", times that of the model as it was",
            "rule",
            column("as operations promise", Speed::ideal),
            computed("measured", arm -> arm.first().real()),
            computed("share of the gain", arm -> arm.first().share())));
    claims(lab, model, rules, speeds.first(OURS));
  }

  private static void claims(
      ExperimentContext lab, String model, Measured<Curve> rules, Speed speed) {
    List<Point> ours = rules.first(OURS).points();
    Point last = ours.get(ours.size() - 1);
    Point enough = ours.stream().filter(p -> 1 - p.operations() >= CUT).findFirst().orElse(last);
    lab.claim(
        "Of the " + model + ", 30 % of the operations can be saved with little loss",
        "34.7 % fewer operations, 0.4 points lost of DeiT-S",
        Check.all(
            Check.atLeast("operations saved", 1 - enough.operations(), CUT),
            Check.atMost("points lost", rules.first(OURS).whole() - enough.quality(), LITTLE)));
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
            Check.above("times as fast", speed.real(), 1),
            Check.atLeast("share of the promised gain", speed.share(), REAL)));
  }
}
