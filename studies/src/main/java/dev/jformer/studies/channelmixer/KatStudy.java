package dev.jformer.studies.channelmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.GroupRationalKan;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.SplineKan;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Layer;
import dev.jformer.nn.kan.GroupRational;
import dev.jformer.nn.kan.RationalFunction;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Curve;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.ImageTrial;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
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
  private static final Arms<ChannelMixer.Config> MIXERS =
      Arms.<ChannelMixer.Config>of(GELU, new Mlp.Config())
          .arm(RATIONAL, new GroupRationalKan.Config(8, GroupRationalKan.Start.GELU, 4, 0))
          // G + k + 1 = 9 weights for each pair.
          .arm(SPLINE, new SplineKan.Config(5, 3, 2, 4.0 / 9, 0))
          .arm(WIDE_SPLINE, new SplineKan.Config());
  private static final int DEPTH = 12;

  /** How many times the time of GELU the rational activation may take. */
  private static final double AFFORDABLE = 2.5;

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
  public void run(ExperimentContext lab) {
    variance(lab);
    activations(lab);
    layers(lab);
    text(lab);
    images(lab);
    lab.note(
        "The variance of a stack without anything between its layers is not stable under SiLU or"
            + " GELU: E[F(sx)²] grows faster than s², so that what one layer is off by, the next"
            + " makes larger. In a Transformer each layer is given what a normalisation gives, and"
            + " that is what is claimed; the bare stack stands beside it.");
  }

  private record Stack(boolean normalised, ChannelMixer.Config layer) {}

  private static void variance(ExperimentContext lab) {
    ChannelMixer.Config keeping = new GroupRationalKan.Config();
    String normalised = "normalised input of each layer";
    String usual = "normalised, weights as in GPT-2";
    Measured<Moments> all =
        Arms.of(normalised, new Stack(true, keeping))
            .arm("bare stack", new Stack(false, keeping))
            .control(usual, new Stack(true, new Mlp.Config(Activation.SILU, 4, 0)))
            .measure(lab, "variance, ", Moments.class, stack -> moments(lab, stack));
    lab.claim(
        "Variance-preserving initialisation keeps the variance through " + DEPTH + " layers",
        "the variance is maintained across layers (S3)",
        usual,
        Check.atMost(
            "largest distance from 1 with normalised input",
            all.first(normalised).furthestFromOne(),
            0.2));
    lab.table(
        all.table(
            "Second moment of what untrained layers give, standard normal input",
            "stack",
            column("first layer", m -> m.moments().get(0)),
            column("last layer", m -> m.moments().get(DEPTH - 1)),
            column("furthest from 1", Moments::furthestFromOne)));
    List<Integer> depths = IntStream.rangeClosed(1, DEPTH).boxed().toList();
    Curve<Moments> curve = Curve.at(depths, Moments::moments);
    lab.figure(all.figure("Second moment after each layer", "layer", "E[x²]", curve).withLogY());
  }

  private static Moments moments(ExperimentContext lab, Stack stack) {
    int width = lab.pick(32, 384, 768);
    int draws = lab.pick(1, 5, 5);
    BlockContext context = Small.context(width, new BlockContext.Init(0.02, false));
    double[] sums = new double[DEPTH];
    for (int draw = 1; draw <= draws; draw++) {
      Random.seed(draw);
      try (Mode mode = Autograd.noGrad()) {
        Tensor x = Tensor.randn(lab.pick(64, 256, 256), width);
        for (int layer = 0; layer < DEPTH; layer++) {
          try (ChannelMixer mixer = stack.layer().build(context)) {
            x = mixer.forward(stack.normalised() ? Functional.layerNorm(x, null, null, 1e-6) : x);
          }
          sums[layer] += x.square().mean().item() / draws;
        }
      }
    }
    return new Moments(Arrays.stream(sums).boxed().toList());
  }

  private static void activations(ExperimentContext lab) {
    int rows = lab.pick(64, 2048, 2048);
    int width = lab.pick(32, 1024, 1024);
    TimedArms times =
        lab.measure(
            "cost of activations",
            TimedArms.class,
            () -> activations(rows, width, lab.pick(3, 41, 101)));
    lab.table(
        times.table(
            "An activation of " + rows + " x " + width + " numbers, forward and backward",
            "activation",
            "times GELU"));
    lab.claim(
        "The rational activation costs about as much as usual ones",
        "a kernel of its own makes rational functions fast (S1)",
        Check.atMost("times GELU's time", times.ratio("rational, 8 groups", "GELU"), AFFORDABLE));
  }

  private static TimedArms activations(int rows, int width, int rounds) {
    try (Layer rational =
        new GroupRational(width, 8, RationalFunction.fit(x -> x / (1 + Math.exp(-x))))) {
      Tensor x = Tensor.randn(rows, width).requiresGrad(true);
      Tensor g = Tensor.randn(rows, width);
      Arms<Runnable> work =
          Arms.<UnaryOperator<Tensor>>of("GELU", Functional::gelu)
              .arm("SiLU", Functional::silu)
              .arm("rational, 8 groups", rational::forward)
              .with(
                  function ->
                      () -> {
                        x.clearGrad();
                        rational.clearGrads();
                        // Inside a model an activation reads no leaf, whose gradient would be
                        // copied.
                        function.apply(x.view(rows, width)).backward(g);
                      });
      // The JVM's compiler takes about a hundred rounds until it is done with all loops.
      return TimedArms.measure(work, 3 * rounds, rounds);
    }
  }

  private static void layers(ExperimentContext lab) {
    int width = lab.pick(16, 256, 768);
    TimedArms times =
        lab.measure(
            "cost of layers",
            TimedArms.class,
            () ->
                TimedArms.layers(
                    MIXERS,
                    mixer -> mixer.build(Small.context(width)),
                    true,
                    20,
                    lab.pick(3, 21, 21),
                    lab.pick(32, 2048, 2048),
                    width));
    lab.table(
        times.table(
            "A layer of width " + width + " on 2,048 tokens, both ways",
            "layer",
            "times the perceptron's"));
    lab.claim(
        "B-splines are much slower than group-rational layers",
        "B-splines do not suit parallel hardware, and a function for each pair costs much (C1, C2)",
        Check.above(
            "times the group-rational layer's time", times.ratio(WIDE_SPLINE, RATIONAL), 2));
  }

  private static void text(ExperimentContext lab) {
    int steps = lab.pick(3, 400, 20_000);
    int width = lab.pick(16, 96, 384);
    Measured<TrainingResult> runs =
        MIXERS
            .without(WIDE_SPLINE)
            .control(WIDE_GELU, new Mlp.Config())
            // One seed of the slow ones, which nothing is claimed of here.
            .seeds(SPLINE, 1)
            .learn(
                lab,
                "text",
                lab.pick(1, 2, 3),
                (name, mixer) ->
                    new LanguageTrial(
                        Small.language(lab.pick(1, 3, 6), width, lab.pick(16, 128, 256), 4)
                            .withBlock(b -> b.ffn(mixer).init(start(name, b.init(), width))),
                        Small.training(steps, lab.pick(2, 16, 32), 1),
                        lab.pick(2, 20, 100)));
    lab.claim(
        "At equal weights, group-rational layers learn language at least as well as GELU",
        "(images only in the paper)",
        WIDE_GELU,
        Check.all(
            runs.atMost("loss (nats a byte)", RATIONAL, GELU, TrainingResult::finalLoss),
            runs.atMost("and with wide weights", RATIONAL, WIDE_GELU, TrainingResult::finalLoss)),
        "Group-rational layers start with weights of about 1/√D, five times GPT-2's at this width;"
            + " so a perceptron in a model that starts so throughout stands beside them.");
    lab.table(
        runs.table(
            "Language models of bytes after " + steps + " updates",
            "channel mixer",
            column("loss", "nats a byte", TrainingResult::finalLoss),
            fixed("weights", TrainingResult::parameters),
            column("tokens/s", TrainingResult::unitsPerSecond)));
    lab.figure(TrainingResult.figure(runs, "Held-out loss, text, first seed", "nats a byte"));
  }

  /** Of the wide arm weights that start with a deviation of 1/√D. */
  private static BlockContext.Init start(String arm, BlockContext.Init usual, int width) {
    return arm.equals(WIDE_GELU)
        ? new BlockContext.Init(1 / Math.sqrt(width), usual.scaleResidual())
        : usual;
  }

  private static void images(ExperimentContext lab) {
    int steps = lab.pick(2, 700, 40_000);
    int width = lab.pick(16, 64, 192);
    Measured<TrainingResult> runs =
        MIXERS
            .without(WIDE_SPLINE)
            .without(SPLINE)
            .control(WIDE_GELU, new Mlp.Config())
            .learn(
                lab,
                "images",
                lab.pick(1, 2, 3),
                (name, mixer) ->
                    new ImageTrial(
                        lab.scale(),
                        Small.vision(4, lab.pick(1, 3, 12), width, 4)
                            .withBlock(b -> b.ffn(mixer).init(start(name, b.init(), width))),
                        Small.training(steps, lab.pick(4, 64, 128), 1),
                        0.1));
    lab.claim(
        "At equal weights, group-rational layers classify images at least as well as GELU",
        "82.3 % of KAT-B on ImageNet, 3.1 points above ViT-B (figure 1)",
        WIDE_GELU,
        Check.all(
            runs.atLeast("accuracy (%)", RATIONAL, GELU, TrainingResult::percentRight),
            runs.atLeast("and wide", RATIONAL, WIDE_GELU, TrainingResult::percentRight)),
        "As with language, a perceptron whose weights start as wide stands beside them.");
    lab.table(
        runs.table(
            "Vision transformers on test images of CIFAR-10 after " + steps + " updates",
            "channel mixer",
            column("right", "%", TrainingResult::percentRight),
            fixed("weights", TrainingResult::parameters),
            column("seconds", TrainingResult::seconds)));
    lab.figure(
        TrainingResult.figure(runs, "Held-out loss, images, first seed", "cross-entropy (nats)"));
  }
}
