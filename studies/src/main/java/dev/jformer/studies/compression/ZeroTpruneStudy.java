package dev.jformer.studies.compression;

import com.google.auto.service.AutoService;
import dev.jformer.compress.prune.TokenPruning;
import dev.jformer.config.Configs;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.mixer.reduction.ClassAttentionReducer;
import dev.jformer.mixer.reduction.RandomTokenReducer;
import dev.jformer.mixer.reduction.TokenMerging;
import dev.jformer.mixer.reduction.TokenReducer;
import dev.jformer.mixer.reduction.ZeroTprune;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Pictures;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ImageClassification;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

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

  /**
   * A model whose tokens leave by a rule.
   *
   * @param share of the tokens that stays at each of the blocks
   * @param operations as a share of those of the model as it was
   * @param quality in percent
   */
  private record Point(String rule, double share, double operations, double quality) {}

  /**
   * A model under all rules.
   *
   * @param quality as it was, in percent
   */
  private record Points(double quality, List<Point> points) {
    List<Point> of(String rule) {
      return points.stream().filter(p -> p.rule().equals(rule)).toList();
    }
  }

  /**
   * How fast a model is, whose tokens leave.
   *
   * @param ideal times as fast as operations promise
   * @param real times as fast as measured
   */
  private record Speed(String rule, double ideal, double real) {
    double share() {
      return (real - 1) / (ideal - 1);
    }
  }

  private record Speeds(List<Speed> speeds) {}

  private static Map<String, TokenReducer> rules() {
    Map<String, TokenReducer> rules = new LinkedHashMap<>();
    ZeroTprune ours = new ZeroTprune();
    rules.put(OURS, ours);
    rules.put("importance only", new ZeroTprune(ours.rounds(), ours.low(), ours.high(), 0));
    rules.put("class attention", new ClassAttentionReducer());
    rules.put("random", new RandomTokenReducer());
    rules.put("merging", new TokenMerging());
    return rules;
  }

  @Override
  public String slug() {
    return "zero-tprune";
  }

  @Override
  public void run(ExperimentContext lab) {
    Speeds imageSpeed = lab.measure("speed, images", Speeds.class, () -> imageSpeed(lab));
    Speeds textSpeed = lab.measure("speed, texts", Speeds.class, () -> textSpeed(lab));
    Points images = lab.measure("images", Points.class, progress -> images(lab, progress));
    Points texts = lab.measure("texts", Points.class, progress -> texts(lab, progress));
    report(lab, "vision transformer", "points of accuracy", images, imageSpeed);
    report(lab, "sentence encoder", "points of Spearman x 100", texts, textSpeed);
    claims(lab, "vision transformer", images, imageSpeed);
    claims(lab, "sentence encoder", texts, textSpeed);
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

  private static List<Integer> blocks(int layers) {
    return layers == 6 ? List.of(1, 3) : layers == 12 ? List.of(3, 6, 9) : List.of(0);
  }

  /** All rules, of equal shares. */
  private static List<Point> points(
      Scale scale,
      Model model,
      int layers,
      ToDoubleFunction<Model> operations,
      ToDoubleFunction<Model> quality,
      DoubleConsumer progress) {
    double whole = operations.applyAsDouble(model);
    List<Point> points = new ArrayList<>();
    int count = rules().size() * shares(scale).size();
    rules()
        .forEach(
            (name, rule) -> {
              for (double share : shares(scale)) {
                try (Scope scope = Scope.open();
                    Mode mode = Autograd.noGrad();
                    Model thin = new TokenPruning(blocks(layers), share, rule).apply(model, null)) {
                  double done = operations.applyAsDouble(thin) / whole;
                  points.add(new Point(name, share, done, quality.applyAsDouble(thin)));
                }
                progress.accept((double) points.size() / count);
              }
            });
    return points;
  }

  private static ImageModel.Config config(Scale scale, int classes, int width) {
    String json =
        String.format(
            Locale.ROOT,
            "{\"model\":\"vit\",\"classes\":%d,\"layers\":%d,\"width\":%d,\"pool\":\"token\","
                + "\"stem\":\"convolutional\",\"mixer\":{\"type\":\"softmax\",\"heads\":%d}}",
            classes,
            scale.pick(2, 6, 12),
            width,
            scale.pick(2, 4, 6));
    return (ImageModel.Config) Configs.parse(json, Model.Config.class);
  }

  private static Points images(ExperimentContext lab, DoubleConsumer progress) {
    Scale scale = lab.scale();
    try (Pictures pictures = new Pictures(scale);
        ImageFile file = pictures.training();
        ImageFile test = pictures.test()) {
      int batch = scale.pick(4, 64, 128);
      ImageSampler sampler = new ImageSampler(file, 0.05, new Augmentation(), batch, 1);
      int classes = file.header().classes().size();
      Random.seed(1);
      try (ImageModel model = config(scale, classes, scale.pick(8, 64, 384)).build()) {
        try (Scope scope = Scope.open()) {
          Tensor[] channels = sampler.channels();
          model.standardise(channels[0], channels[1]);
        }
        int steps = scale.pick(2, 700, 100_000);
        TrainingCurve.of(
            model,
            new ImageClassification(model, sampler, 0),
            Small.training(steps, batch, 1).withSteps(steps, 1),
            done -> progress.accept(0.7 * done));
        model.train(false);
        int[] same = IntStream.range(0, classes).toArray();
        ToDoubleFunction<Model> right =
            m -> 100 * ImageClassification.evaluate((ImageModel) m, test, same).accuracy();
        Tensor some = Tensor.zeros(1, 3, 32, 32);
        List<Point> points =
            points(
                scale,
                model,
                scale.pick(2, 6, 12),
                m -> operations(() -> ((ImageModel) m).logits(some)),
                right,
                done -> progress.accept(0.7 + 0.3 * done));
        return new Points(right.applyAsDouble(model), points);
      }
    }
  }

  private static Points texts(ExperimentContext lab, DoubleConsumer progress) {
    Scale scale = lab.scale();
    try (TextPairs pairs = new TextPairs(scale, PAIRS);
        Scope scope = Scope.open()) {
      Tensor ids = Tensor.randint(0, 200, 1, scale.pick(16, 32, 32));
      List<Point> points =
          points(
              scale,
              pairs.model(),
              pairs.model().config().layers(),
              m -> operations(() -> ((Encoder) m).pooled(ids, null)),
              m -> pairs.score((Encoder) m),
              progress);
      return new Points(pairs.score(pairs.model()), points);
    }
  }

  private static double operations(Runnable pass) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      return Flops.of(pass);
    }
  }

  // ---- Speed

  /** On a model of random weights: how fast it is does not depend on them. */
  private static Speeds imageSpeed(ExperimentContext lab) {
    Scale scale = lab.scale();
    Random.seed(1);
    try (ImageModel model = config(scale, 10, scale.pick(8, 192, 384)).build();
        Scope scope = Scope.open()) {
      model.train(false);
      Tensor images = Tensor.rand(scale.pick(2, 32, 32), 3, 32, 32);
      return speeds(scale, model, scale.pick(2, 6, 12), m -> ((ImageModel) m).logits(images));
    }
  }

  private static Speeds textSpeed(ExperimentContext lab) {
    Scale scale = lab.scale();
    try (TextPairs pairs = new TextPairs(scale, PAIRS);
        Scope scope = Scope.open()) {
      Tensor ids = Tensor.randint(0, 200, scale.pick(2, 16, 32), scale.pick(16, 64, 128));
      int layers = pairs.model().config().layers();
      return speeds(scale, pairs.model(), layers, m -> ((Encoder) m).pooled(ids, null));
    }
  }

  private interface Pass {
    void through(Model model);
  }

  private static Speeds speeds(Scale scale, Model model, int layers, Pass pass) {
    List<Model> thin = new ArrayList<>();
    List<Speed> speeds = new ArrayList<>();
    try (Mode mode = Autograd.noGrad()) {
      rules()
          .values()
          .forEach(
              rule ->
                  thin.add(
                      new TokenPruning(blocks(layers), speedShare(scale), rule)
                          .apply(model, null)));
      double whole = Flops.of(() -> pass.through(model));
      int rounds = scale.pick(1, 9, 15);
      double[][] ratios = new double[thin.size()][rounds];
      // Rules run in Java, which takes a while until it is compiled.
      for (int round = -scale.pick(1, 10, 10); round < rounds; round++) {
        for (int i = 0; i < thin.size(); i++) {
          double before = seconds(() -> pass.through(model));
          Model each = thin.get(i);
          double after = seconds(() -> pass.through(each));
          if (round >= 0) {
            ratios[i][round] = before / after;
          }
        }
      }
      int at = 0;
      for (String rule : rules().keySet()) {
        Model each = thin.get(at);
        double ideal = whole / Flops.of(() -> pass.through(each));
        Arrays.sort(ratios[at]);
        speeds.add(new Speed(rule, ideal, ratios[at][rounds / 2]));
        at++;
      }
      return new Speeds(speeds);
    } finally {
      thin.forEach(Model::close);
    }
  }

  private static double speedShare(Scale scale) {
    return shares(scale).get(shares(scale).size() / 2); // about a third of the operations saved
  }

  private static double seconds(Runnable pass) {
    try (Scope scope = Scope.open()) {
      long start = System.nanoTime();
      pass.run();
      return (System.nanoTime() - start) / 1e9;
    }
  }

  // ---- What was found

  private static void report(
      ExperimentContext lab, String model, String unit, Points found, Speeds speeds) {
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> lines = new ArrayList<>();
    for (String rule : rules().keySet()) {
      found
          .of(rule)
          .forEach(
              p ->
                  rows.add(
                      Table.row(
                          rule,
                          100 * p.share(),
                          100 * (1 - p.operations()),
                          p.quality(),
                          found.quality() - p.quality())));
      lines.add(
          Figure.Series.line(
              rule,
              found.of(rule).stream().map(p -> 100 * (1 - p.operations())).toList(),
              found.of(rule).stream().map(Point::quality).toList()));
    }
    lab.table(
        new Table(
            "The " + model + ", of " + Check.number(found.quality()) + " " + unit,
            List.of("rule", "stay at each block (%)", "operations saved (%)", "quality", "lost"),
            rows));
    lab.figure(new Figure("The " + model, "operations saved (%)", unit, false, false, lines));
    lab.table(
        new Table(
            "Throughput of the " + model + ", times that of the model as it was",
            List.of("rule", "as operations promise", "measured", "share of the gain"),
            speeds.speeds().stream()
                .map(s -> Table.row(s.rule(), s.ideal(), s.real(), s.share()))
                .toList()));
  }

  private static void claims(ExperimentContext lab, String model, Points found, Speeds speeds) {
    List<Point> ours = found.of(OURS);
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
            Check.atMost("points lost", found.quality() - enough.quality(), LITTLE)));
    for (String rule : List.of("random", "class attention", "merging")) {
      lab.claim(
          "On the " + model + ", Zero-TPrune is better than " + rule + " at equal shares",
          "better than other methods without training (figure 5, table 3)",
          Check.above(
              "mean quality",
              ours.stream().mapToDouble(Point::quality).average().orElse(Double.NaN),
              found.of(rule).stream().mapToDouble(Point::quality).average().orElse(Double.NaN)));
    }
    Speed speed = speeds.speeds().get(0);
    lab.claim(
        "The " + model + " is faster by most of what operations promise",
        "45.3 % more throughput for 34.7 % fewer operations, which promise 53 %",
        Check.all(
            Check.above("times as fast", speed.real(), 1),
            Check.atLeast("share of the promised gain", speed.share(), REAL)));
  }
}
