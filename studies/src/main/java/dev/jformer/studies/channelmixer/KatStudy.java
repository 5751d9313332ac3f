package dev.jformer.studies.channelmixer;

import com.google.auto.service.AutoService;
import dev.jformer.config.Configs;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.GroupRationalKan;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.SplineKan;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.kan.GroupRational;
import dev.jformer.nn.kan.RationalFunction;
import dev.jformer.position.LearnedPosition;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Pictures;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ImageClassification;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * The Kolmogorov-Arnold Transformer (arXiv 2409.10594): group-rational layers beside perceptrons
 * with GELU and the B-splines of the original KAN, on text and on the images of CIFAR-10; what
 * their activations cost, and how variance passes through layers that were not trained.
 */
@AutoService(Study.class)
public final class KatStudy implements Study {
  private static final String GELU = "perceptron, GELU";
  private static final String WIDE_GELU = "perceptron, GELU, weights of 1/√D";
  private static final String RATIONAL = "group-rational";
  private static final String SPLINE = "B-splines, equal weights";
  private static final String WIDE_SPLINE = "B-splines, equal width";
  private static final int DEPTH = 12;

  /** How many times the time of GELU the rational activation may take. */
  private static final double AFFORDABLE = 2.5;

  /**
   * What came of learning images.
   *
   * @param losses on held-out images, after equally many updates each
   * @param accuracy share of test images that are right
   * @param seconds of training and evaluating
   * @param parameters number of weights
   */
  public record Outcome(List<Double> losses, double accuracy, double seconds, long parameters) {}

  /**
   * Seconds of activations, forward and backward.
   *
   * @param gelu GELU's
   * @param silu SiLU's
   * @param rational that of the group-rational one
   */
  public record Activations(double gelu, double silu, double rational) {}

  /**
   * Second moments after each layer of a stack; before the first it is 1.
   *
   * @param moments of each layer, mean of several draws
   */
  public record Moments(List<Double> moments) {
    double furthestFromOne() {
      return moments.stream().mapToDouble(m -> Math.abs(m - 1)).max().orElseThrow();
    }
  }

  @Override
  public String slug() {
    return "kat";
  }

  @Override
  public void run(ExperimentContext lab) {
    variance(lab);
    cost(lab);
    text(lab);
    images(lab);
    lab.note(
        "The variance of a stack without anything between its layers is not stable under SiLU or"
            + " GELU: E[F(sx)²] grows faster than s², so that what one layer is off by, the next"
            + " makes larger. In a Transformer each layer is given what a normalisation gives, and"
            + " that is what is claimed; the bare stack stands beside it.");
  }

  // ---- Variance

  private static void variance(ExperimentContext lab) {
    Map<String, Moments> all = new LinkedHashMap<>();
    for (boolean normalised : new boolean[] {true, false}) {
      String name = normalised ? "normalised input of each layer" : "bare stack";
      all.put(
          name,
          lab.measure(
              "variance, " + name, Moments.class, () -> moments(lab.scale(), normalised, true)));
    }
    all.put(
        "normalised, weights as in GPT-2",
        lab.measure(
            "variance, weights as in GPT-2",
            Moments.class,
            () -> moments(lab.scale(), true, false)));
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    all.forEach(
        (name, m) -> {
          int last = m.moments().size() - 1;
          rows.add(Table.row(name, m.moments().get(0), m.moments().get(last), m.furthestFromOne()));
          curves.add(
              Figure.Series.line(
                  name,
                  IntStream.rangeClosed(1, last + 1).mapToObj(i -> (double) i).toList(),
                  m.moments()));
        });
    lab.claim(
        "Variance-preserving initialisation keeps the variance through " + DEPTH + " layers",
        "the variance is maintained across layers (S3)",
        Check.atMost(
            "largest distance from 1 with normalised input",
            all.values().iterator().next().furthestFromOne(),
            0.2));
    lab.table(
        new Table(
            "Second moment of what untrained layers give, standard normal input",
            List.of("stack", "first layer", "last layer", "furthest from 1"),
            rows));
    lab.figure(new Figure("Second moment after each layer", "layer", "E[x²]", false, true, curves));
  }

  private static Moments moments(Scale scale, boolean normalised, boolean keeping) {
    int width = scale.pick(32, 384, 768);
    int draws = scale.pick(1, 5, 5);
    BlockContext site =
        new BlockContext(
            width,
            0,
            1,
            8,
            false,
            true,
            0,
            new BlockContext.Init(0.02, false),
            new Linear.Config());
    ChannelMixer.Config config =
        keeping ? new GroupRationalKan.Config() : new Mlp.Config(Activation.SILU, 4, 0);
    double[] sums = new double[DEPTH];
    for (int draw = 1; draw <= draws; draw++) {
      Random.seed(draw);
      try (Mode mode = Autograd.noGrad()) {
        Tensor x = Tensor.randn(scale.pick(64, 256, 256), width);
        for (int layer = 0; layer < DEPTH; layer++) {
          try (ChannelMixer mixer = config.build(site)) {
            x = mixer.forward(normalised ? Functional.layerNorm(x, null, null, 1e-6) : x);
          }
          sums[layer] += x.square().mean().item() / draws;
        }
      }
    }
    return new Moments(Arrays.stream(sums).boxed().toList());
  }

  // ---- Cost

  private static void cost(ExperimentContext lab) {
    int rows = lab.scale().pick(64, 2048, 2048);
    int width = lab.scale().pick(32, 1024, 1024);
    Activations times =
        lab.measure(
            "cost of activations",
            Activations.class,
            () -> activations(rows, width, lab.scale().pick(3, 41, 101)));
    lab.table(
        new Table(
            "An activation of " + rows + " x " + width + " numbers, forward and backward",
            List.of("activation", "ms", "times GELU"),
            List.of(
                Table.row("GELU", 1e3 * times.gelu(), 1.0),
                Table.row("SiLU", 1e3 * times.silu(), times.silu() / times.gelu()),
                Table.row(
                    "rational, 8 groups",
                    1e3 * times.rational(),
                    times.rational() / times.gelu()))));
    lab.claim(
        "The rational activation costs about as much as usual ones",
        "a kernel of its own makes rational functions fast (S1)",
        Check.atMost("times GELU's time", times.rational() / times.gelu(), AFFORDABLE));
    Map<String, Double> layers = new LinkedHashMap<>();
    mixers(lab.scale())
        .forEach((name, mixer) -> layers.put(name, seconds(layer(lab, name, mixer))));
    List<List<String>> table = new ArrayList<>();
    layers.forEach((name, time) -> table.add(Table.row(name, 1e3 * time, time / layers.get(GELU))));
    lab.table(
        new Table(
            "A layer of width " + layerWidth(lab.scale()) + " on 2,048 tokens, both ways",
            List.of("layer", "ms", "times the perceptron's"),
            table));
    lab.claim(
        "B-splines are much slower than group-rational layers",
        "B-splines do not suit parallel hardware, and a function for each pair costs much (C1, C2)",
        Check.above(
            "times the group-rational layer's time",
            layers.get(WIDE_SPLINE) / layers.get(RATIONAL),
            2));
  }

  private static double seconds(Cost cost) {
    return cost.points().get(0).seconds();
  }

  /** Medians of rounds in which each has its turn, so that they see the same machine. */
  private static Activations activations(int rows, int width, int rounds) {
    try (Layer rational =
        new GroupRational(width, 8, RationalFunction.fit(x -> x / (1 + Math.exp(-x))))) {
      Tensor x = Tensor.randn(rows, width).requiresGrad(true);
      Tensor g = Tensor.randn(rows, width);
      List<Runnable> work = new ArrayList<>();
      for (UnaryOperator<Tensor> function :
          List.<UnaryOperator<Tensor>>of(Functional::gelu, Functional::silu, rational::forward)) {
        work.add(
            () -> {
              x.clearGrad();
              rational.clearGrads();
              // Inside a model an activation does not read a leaf, whose gradient would be copied.
              function.apply(x.view(rows, width)).backward(g);
            });
      }
      // The JVM's compiler takes about a hundred rounds until it is done with all loops.
      List<Double> seconds = InterleavedTimer.seconds(work, 3 * rounds, rounds);
      return new Activations(seconds.get(0), seconds.get(1), seconds.get(2));
    }
  }

  /** Until the JVM has compiled what is done often. */
  private static void warmUp(Runnable work) {
    for (int i = 0; i < 20; i++) {
      try (Scope scope = Scope.open()) {
        work.run();
      }
    }
  }

  private static int layerWidth(Scale scale) {
    return scale.pick(16, 256, 768);
  }

  private static Cost layer(ExperimentContext lab, String name, ChannelMixer.Config config) {
    int width = layerWidth(lab.scale());
    return lab.measure(
        "cost of a layer, " + name,
        Cost.class,
        () -> {
          BlockContext site =
              new BlockContext(
                  width, 0, 1, 8, false, true, 0, new BlockContext.Init(), new Linear.Config());
          try (ChannelMixer mixer = config.build(site)) {
            return Cost.measure(
                new int[] {lab.scale().pick(32, 2048, 2048)},
                size -> {
                  Tensor x = Tensor.randn(size, width).requiresGrad(true);
                  Tensor g = Tensor.randn(size, width);
                  Runnable once =
                      () -> {
                        x.clearGrad();
                        mixer.clearGrads();
                        mixer.forward(x).backward(g);
                      };
                  warmUp(once);
                  return once;
                });
          }
        });
  }

  // ---- Learning

  private static Map<String, ChannelMixer.Config> mixers(Scale scale) {
    Map<String, ChannelMixer.Config> mixers = new LinkedHashMap<>();
    mixers.put(GELU, new Mlp.Config());
    mixers.put(RATIONAL, new GroupRationalKan.Config(8, GroupRationalKan.Start.GELU, 4, 0));
    // G + k + 1 = 9 weights for each pair.
    mixers.put(SPLINE, new SplineKan.Config(5, 3, 2, 4.0 / 9, 0));
    mixers.put(WIDE_SPLINE, new SplineKan.Config());
    return mixers;
  }

  private static void text(ExperimentContext lab) {
    int steps = lab.scale().pick(3, 400, 20_000);
    int seeds = lab.scale().pick(1, 2, 3);
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    Map<String, Double> losses = new LinkedHashMap<>();
    Map<String, ChannelMixer.Config> mixers = mixers(lab.scale());
    mixers.remove(WIDE_SPLINE);
    mixers.put(WIDE_GELU, new Mlp.Config());
    mixers.forEach(
        (name, mixer) -> {
          CausalLm.Config usual =
              Small.language(
                  lab.scale().pick(1, 3, 6),
                  lab.scale().pick(16, 96, 384),
                  lab.scale().pick(16, 128, 256),
                  new LearnedPosition.Config(),
                  new SoftmaxAttention.Config(4, 0),
                  mixer,
                  new Linear.Config());
          LanguageTrial trial =
              new LanguageTrial(
                  name.equals(WIDE_GELU) ? wide(usual, usual.width()) : usual,
                  Small.training(steps, lab.scale().pick(2, 16, 32), 1),
                  lab.scale().pick(2, 20, 100),
                  null);
          List<dev.jformer.studies.trial.TrainingResult> runs =
              // One seed of the slow ones, which nothing is claimed of here.
              lab.learn("text, " + name, trial, name.equals(SPLINE) ? 1 : seeds);
          losses.put(name, dev.jformer.studies.trial.TrainingResult.loss(runs));
          rows.add(
              Table.row(
                  name,
                  losses.get(name),
                  dev.jformer.studies.trial.TrainingResult.spread(runs),
                  runs.get(0).parameters(),
                  Seeds.mean(runs, dev.jformer.studies.trial.TrainingResult::unitsPerSecond)));
          curves.add(runs.get(0).curve(name));
        });
    lab.claim(
        "At equal weights, group-rational layers learn language at least as well as GELU",
        "(images only in the paper)",
        Check.all(
            Check.atMost("loss (nats a byte)", losses.get(RATIONAL), losses.get(GELU)),
            Check.atMost("and with wide weights", losses.get(RATIONAL), losses.get(WIDE_GELU))),
        "Group-rational layers start with weights of about 1/√D, five times GPT-2's at this width;"
            + " so a perceptron in a model that starts so throughout stands beside them.");
    lab.table(
        new Table(
            "Language models of bytes after " + steps + " updates",
            List.of("channel mixer", "loss (nats a byte)", "spread", "weights", "tokens/s"),
            rows));
    lab.figure(
        new Figure(
            "Held-out loss, text, first seed", "updates", "nats a byte", false, false, curves));
  }

  /** The same with weights that start with a deviation of 1/√D. */
  private static <C> C wide(C config, int width) {
    double deviation = 1 / Math.sqrt(width);
    return Configs.replace(
        config,
        BlockContext.Init.class,
        init -> new BlockContext.Init(deviation, init.scaleResidual()));
  }

  private static void images(ExperimentContext lab) {
    int seeds = lab.scale().pick(1, 2, 3);
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    Map<String, Double> accuracies = new LinkedHashMap<>();
    for (String name : List.of(GELU, RATIONAL, WIDE_GELU)) {
      List<Outcome> outcomes = new ArrayList<>();
      for (int seed = 1; seed <= seeds; seed++) {
        int s = seed;
        outcomes.add(
            lab.measure(
                "images, " + name + ", seed " + seed,
                Outcome.class,
                progress -> learn(lab.scale(), name, s, progress)));
      }
      accuracies.put(name, 100 * Seeds.mean(outcomes, Outcome::accuracy));
      rows.add(
          Table.row(
              name,
              accuracies.get(name),
              100 * Seeds.spread(outcomes, Outcome::accuracy),
              outcomes.get(0).parameters(),
              Seeds.mean(outcomes, Outcome::seconds)));
      List<Double> losses = outcomes.get(0).losses();
      curves.add(
          Figure.Series.line(
              name,
              IntStream.rangeClosed(1, losses.size()).mapToObj(i -> (double) i).toList(),
              losses));
    }
    lab.claim(
        "At equal weights, group-rational layers classify images at least as well as GELU",
        "82.3 % of KAT-B on ImageNet, 3.1 points above ViT-B (figure 1)",
        Check.all(
            Check.atLeast("accuracy (%)", accuracies.get(RATIONAL), accuracies.get(GELU)),
            Check.atLeast("and wide", accuracies.get(RATIONAL), accuracies.get(WIDE_GELU))),
        "As with language, a perceptron whose weights start as wide stands beside them.");
    lab.table(
        new Table(
            "Vision transformers on test images of CIFAR-10 after "
                + imageSteps(lab.scale())
                + " updates",
            List.of("channel mixer", "right (%)", "spread", "weights", "seconds"),
            rows));
    lab.figure(
        new Figure(
            "Held-out loss, images, first seed",
            "tenths of the training",
            "cross-entropy (nats)",
            false,
            false,
            curves));
  }

  private static int imageSteps(Scale scale) {
    return scale.pick(2, 700, 40_000);
  }

  private static Outcome learn(Scale scale, String name, long seed, DoubleConsumer progress) {
    try (Pictures pictures = new Pictures(scale);
        ImageFile training = pictures.training();
        ImageFile test = pictures.test()) {
      int batch = scale.pick(4, 64, 128);
      ImageSampler sampler = new ImageSampler(training, 0.05, new Augmentation(), batch, seed);
      int classes = training.header().classes().size();
      TrainingConfig recipe = Small.training(imageSteps(scale), batch, seed);
      Random.seed(seed);
      try (VisionTransformer model = model(scale, name, classes).build()) {
        Tensor[] channels = sampler.channels();
        model.standardise(channels[0], channels[1]);
        TrainingCurve course =
            TrainingCurve.of(model, new ImageClassification(model, sampler, 0.1), recipe, progress);
        int[] same = IntStream.range(0, classes).toArray();
        ClassificationScores scores = ImageClassification.evaluate(model, test, same);
        return new Outcome(
            course.losses(), scores.accuracy(), course.seconds(), model.parameterCount());
      }
    }
  }

  private static VisionTransformer.Config model(Scale scale, String name, int classes) {
    VisionTransformer.Config usual =
        Small.vision(
                4,
                scale.pick(1, 3, 12),
                scale.pick(16, 64, 192),
                new SoftmaxAttention.Config(4, 0),
                mixers(scale).getOrDefault(name, new Mlp.Config()))
            .withClasses(classes);
    return name.equals(WIDE_GELU) ? wide(usual, usual.width()) : usual;
  }
}
