package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.compress.Compression;
import dev.jformer.compress.quantize.NoisyQuant;
import dev.jformer.compress.quantize.Ptq;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.nn.ForwardHook;
import dev.jformer.nn.quantized.RangeRule;
import dev.jformer.nn.quantized.UniformGrid;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.ImageTrial;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Subject;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoublePredicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * NoisyQuant (arXiv 2211.16056): the theorem's curve, the error of heavy-tailed activations, and a
 * vision transformer, a language model and all-MiniLM-L6-v2 quantized by several quantizers without
 * and with it.
 */
@AutoService(Study.class)
public final class NoisyquantStudy implements Study {
  private static final List<Integer> BITS = List.of(6, 4);
  private static final int CALIBRATION_BATCHES = 4;

  /** Numbers that lie farther from the grid than this, in steps, gain by noise of half a step. */
  private static final double EDGE = 1 / Math.sqrt(12);

  private static final Arms<Ptq> QUANTIZERS =
      Arms.of("min-max", new Ptq())
          .arm("percentile 99.9 %", ptq(false, new RangeRule.Percentile(0.999)))
          .arm("search, activations' error", ptq(false, search(RangeRule.Target.MSE)))
          .arm("search, output's error, symmetric", ptq(true, search(RangeRule.Target.OUTPUT)));

  private static Ptq ptq(boolean symmetric, RangeRule rule) {
    return new Ptq(8, 8, symmetric, rule);
  }

  private static RangeRule search(RangeRule.Target target) {
    return new RangeRule.Search(target, 100);
  }

  @Override
  public void run(ExperimentContext lab) {
    theorem(lab);
    Outcome vit = lab.learn("vision transformer", images(lab.scale()));
    Outcome lm = lab.learn("language model", language(lab));
    Outcome sentences =
        lab.measure("sentence encoder", Outcome.class, () -> sentences(lab.scale()));
    tails(lab, Measured.of(vit.tails()));
    String points = "up to 1.7 points of ViT and 1.1 of DeiT on ImageNet (abstract)";
    compare(lab, "vision transformer", points, vit);
    compare(lab, "language model", "", lm);
    compare(lab, "sentence encoder", "", sentences);
    lab.note(
        "Weights and activations have the same number of bits; the output layer and the embedding"
            + " of patches or tokens stay exact, and inside of attention nothing is quantized. The"
            + " layers multiply int8 numbers, those of fewer bits too. The size of the noise is"
            + " searched among 41 on "
            + CALIBRATION_BATCHES
            + " batches, the ranges of the quantizers on the same ones. Distance is that of a"
            + " batch's logits from the exact model's, as a share of their norm: it tells small"
            + " differences that accuracy on 2,000 images cannot. The sentence encoder is"
            + " all-MiniLM-L6-v2 as it was published; its table of words stays exact.");
  }

  // ---- Theorem

  /**
   * The mean squared errors of rounding numbers, in squared steps of the grid.
   *
   * @param at the numbers, in steps
   * @param measured by the quantizer, over many draws
   * @param theory in closed form
   */
  public record Curve(List<Double> at, List<Double> measured, List<Double> theory) {
    /** The largest ratio of two lists at places, the border between both cases left out. */
    private double largest(List<Double> over, List<Double> under, DoublePredicate place) {
      return IntStream.range(0, at.size())
          .filter(i -> Math.abs(at.get(i) - EDGE) >= 0.01 && place.test(at.get(i)))
          .mapToDouble(i -> over.get(i) / under.get(i))
          .max()
          .orElse(0);
    }

    private double offTheory() {
      return IntStream.range(0, at.size())
          .mapToDouble(i -> Math.abs(measured.get(i) - theory.get(i)))
          .max()
          .orElse(0);
    }
  }

  /** The curves by the half width of the noise. */
  public record Curves(Map<String, Curve> byNoise) {}

  private static void theorem(ExperimentContext lab) {
    Measured<Curve> curves =
        Measured.of(lab.measure("theorem", Curves.class, () -> curves(lab.scale())).byNoise());
    lab.figure(
        curves.figure(
            "Error of rounding a number with noise, as measured",
            "distance from the grid (steps)",
            "mean squared error (steps²)",
            (curve, name) -> Figure.Series.line(name, curve.at(), curve.measured())));
    lab.claim(
        "The quantizer's error under noise is that of NoisyQuant's theorem",
        "theorem 1",
        Check.atMost(
            "largest difference (steps²)", curves.all(Curve::offTheory).max().orElseThrow(), 1e-3));
    Curve none = curves.first(noise(0));
    List<Double> with = curves.first(noise(0.5)).measured();
    lab.claim(
        "Noise of half a step lowers the error of numbers far from the grid, and of those"
            + " alone",
        "theorem 1: under a condition",
        noise(0),
        Check.all(
            Check.below(
                "largest error with noise as a share of that without, beyond step/√12",
                none.largest(with, none.measured(), at -> at > EDGE),
                1),
            Check.below(
                "largest error without noise as a share of that with, nearer than step/√12",
                none.largest(none.measured(), with, at -> at < EDGE),
                1)));
  }

  private static String noise(double steps) {
    return String.format(Locale.ROOT, "n = %.2f steps", steps);
  }

  private static Curves curves(Scale scale) {
    int draws = scale.pick(200_000, 1_000_000, 1_000_000);
    Random.seed(1);
    double step = 0.125;
    UniformGrid grid = new UniformGrid(step, 0, 8);
    Map<String, Curve> curves = new LinkedHashMap<>();
    for (double noise : new double[] {0, 0.25, 0.5, 0.75}) {
      Curve curve = new Curve(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
      for (int i = 0; i <= 20; i++) {
        double at = i / 40.0;
        try (Scope scope = Scope.open()) {
          Tensor n = Tensor.empty(DType.FLOAT64, draws).uniform_(-noise * step, noise * step);
          curve.at().add(at);
          curve.measured().add(error(grid, n.add(at * step)));
          curve
              .theory()
              .add(NoisyQuant.expectedError(at * step, step, noise * step) / (step * step));
        }
      }
      curves.put(noise(noise), curve);
    }
    return new Curves(curves);
  }

  /** The mean squared error of rounding, in squared steps. */
  private static double error(UniformGrid grid, Tensor x) {
    Tensor difference = grid.rounded(x).to(x.dtype()).sub(x).square().to(DType.FLOAT64);
    return difference.mean().item() / (grid.scale() * grid.scale());
  }

  // ---- Tails

  /**
   * The activations that a layer is given.
   *
   * @param kurtosis their fourth standardised moment; 3 of a normal distribution
   * @param beyond share that lies farther than step/√12 from the grid
   * @param plain mean squared error of rounding them, in squared steps
   * @param noisy the same with noise of half a step
   * @param theory what the closed form makes of it
   */
  public record Tail(double kurtosis, double beyond, double plain, double noisy, double theory) {}

  private static Map<String, Tail> tailsOf(Subject subject) {
    Map<String, Tensor> seen = new LinkedHashMap<>();
    Map<String, Tail> tails = new LinkedHashMap<>();
    try (Scope scope = Scope.open();
        ForwardHook hook =
            ForwardHook.on(
                subject.model(),
                name -> name.endsWith("ffn.down"),
                output ->
                    seen.computeIfAbsent(output.layer(), n -> output.input().copy().keep()))) {
      subject.run(subject.model());
      seen.forEach((layer, x) -> tails.put(layer, tail(x.reshape(-1).to(DType.FLOAT32))));
    } finally {
      seen.values().forEach(Tensor::close);
    }
    return tails;
  }

  private static Tail tail(Tensor x) {
    UniformGrid grid = UniformGrid.of(x.min().item(), x.max().item(), BITS.get(0), false);
    double step = grid.scale();
    Tensor noise = Tensor.empty(DType.FLOAT32, x.elements()).uniform_(-step / 2, step / 2);
    double[] values = x.toDoubles();
    double theory = 0;
    double beyond = 0;
    for (double value : values) {
      theory += NoisyQuant.expectedError(value, step, step / 2);
      beyond += Math.abs(value - step * Math.rint(value / step)) > step * EDGE ? 1 : 0;
    }
    Tensor centered = x.to(DType.FLOAT64).sub(x.to(DType.FLOAT64).mean().item());
    double variance = centered.square().mean().item();
    return new Tail(
        centered.square().square().mean().item() / (variance * variance),
        beyond / values.length,
        error(grid, x),
        error(grid, x.add(noise)),
        theory / values.length / (step * step));
  }

  private static void tails(ExperimentContext lab, Measured<Tail> layers) {
    lab.table(
        layers.table(
            "What GELU gives in the vision transformer, on a min-max grid of "
                + BITS.get(0)
                + " bits: errors in squared steps, with noise of half a step",
            "layer",
            column("kurtosis", Tail::kurtosis),
            column("farther than step/√12 (%)", t -> 100 * t.beyond()),
            column("error, plain", Tail::plain),
            column("error with noise", Tail::noisy),
            column("theory", Tail::theory)));
    lab.claim(
        "NoisyQuant's theorem tells the error of real activations with noise",
        "",
        Check.atMost(
            "largest relative difference in a layer",
            layers.all(t -> Math.abs(t.noisy() / t.theory() - 1)).max().orElseThrow(),
            0.05));
    lab.claim(
        "Noise lowers the error of heavy-tailed activations after GELU",
        "many of them lie together, away from the grid (section 3)",
        "plain",
        Check.below(
            "mean error (steps²) with noise of half a step",
            layers.all(Tail::noisy).average().orElseThrow(),
            layers.all(Tail::plain).average().orElseThrow()),
        "A number drawn evenly between two of the grid has an error of 1/12 = 0.0833 without"
            + " and with that noise, so it helps where the plain error is above that.");
  }

  // ---- Models

  /**
   * A quantized model.
   *
   * @param metrics how good it is
   * @param distance of its outputs from the exact model's, as a share of their norm
   * @param bytes of its parameters
   */
  public record Score(Metrics metrics, double distance, long bytes) {}

  /** A model quantized without noise, and with the noise of one seed. */
  public record Pair(int bits, Score plain, Score noisy) {}

  /**
   * A model, and what became of it.
   *
   * @param exact the model itself
   * @param pairs by quantizer and bits, one for each seed of the noise
   * @param tails by layer; of the vision transformer
   */
  public record Outcome(Score exact, Map<String, List<Pair>> pairs, Map<String, Tail> tails) {}

  private static Trial<Outcome> images(Scale scale) {
    int batch = scale.pick(4, 64, 128);
    return new ImageTrial(
            scale,
            Small.vision(4, scale.pick(2, 4, 12), scale.pick(16, 96, 384), scale.pick(2, 4, 6)),
            Small.training(scale.pick(3, 800, 40_000), batch, 1),
            0)
        .examined(
            Outcome.class,
            (model, images, result) -> {
              Augmentation none = Augmentation.none();
              Subject subject =
                  Subject.images(
                      model,
                      new ImageSampler(images.training(), 0.05, none, batch, 2),
                      0,
                      CALIBRATION_BATCHES,
                      new ImageSampler(images.test(), 0.2, none, batch, 1));
              Outcome outcome = quantize(scale, subject);
              outcome.tails().putAll(tailsOf(subject));
              return outcome;
            });
  }

  private static Trial<Outcome> language(ExperimentContext lab) {
    Scale scale = lab.scale();
    int batch = scale.pick(2, 16, 32);
    return new LanguageTrial(
            Small.language(
                scale.pick(1, 3, 12), scale.pick(16, 96, 512), scale.pick(16, 128, 512), 4),
            Small.training(scale.pick(3, 500, 20_000), batch, 1),
            scale.pick(1, 10, 40),
            null)
        .examined(
            Outcome.class,
            (model, result) ->
                quantize(
                    scale,
                    Subject.language(
                        model,
                        lab.text(),
                        batch,
                        CALIBRATION_BATCHES,
                        batch,
                        scale.pick(1, 20, 100))));
  }

  /** all-MiniLM-L6-v2, as it was published. */
  private static Outcome sentences(Scale scale) {
    try (TextPairs pairs = new TextPairs(scale, scale.pick(3, 150, 10_000))) {
      return quantize(scale, Subject.sentences(pairs, scale.pick(2, 64, 256)));
    }
  }

  private static Outcome quantize(Scale scale, Subject subject) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Metrics exact = subject.evaluate(subject.model());
      Tensor target = subject.outputs(subject.model());
      Map<String, List<Pair>> all = new LinkedHashMap<>();
      for (var quantizer : QUANTIZERS.settings().entrySet()) {
        for (int bits : BITS) {
          Ptq rule = quantizer.getValue();
          Ptq plain = new Ptq(bits, bits, rule.symmetric(), rule.range());
          Score score = score(subject, plain, target);
          List<Pair> pairs = new ArrayList<>();
          for (int seed = 1; seed <= scale.pick(1, 2, 3); seed++) {
            Score noisy = score(subject, new NoisyQuant(plain, 40, seed), target);
            pairs.add(new Pair(bits, score, noisy));
          }
          all.put(arm(quantizer.getKey(), bits), pairs);
        }
      }
      long bytes = subject.model().parameterBytes();
      return new Outcome(new Score(exact, 0, bytes), all, new LinkedHashMap<>());
    }
  }

  private static String arm(String quantizer, int bits) {
    return quantizer + ", " + bits + " bits";
  }

  private static Score score(Subject subject, Compression method, Tensor target) {
    return subject.compressed(
        method,
        made -> {
          double off = subject.outputs(made).sub(target).norm().item() / target.norm().item();
          return new Score(subject.evaluate(made), off, made.parameterBytes());
        });
  }

  // ---- Report

  private static void compare(ExperimentContext lab, String title, String paper, Outcome outcome) {
    Measured<Pair> pairs = Measured.ofRuns(outcome.pairs());
    List<Metric> metrics = outcome.exact().metrics().all();
    Metric judged = metrics.get(metrics.size() - 1);
    for (int bits : BITS) {
      String at = "At " + bits + " bits NoisyQuant ";
      lab.claim(
          at + "brings the outputs of the " + title + " nearer with every quantizer",
          "less output error (section 5.3)",
          "plain",
          every(pairs, bits, false, Score::distance),
          "Distance from the exact model's outputs, mean of the noises, against plain.");
      lab.claim(
          at + "makes the " + title + " better with every quantizer",
          bits == BITS.get(0) ? paper : "",
          "plain",
          every(pairs, bits, judged.higherIsBetter(), score -> score.metrics().get(judged.name())),
          title(judged) + ", mean of the noises, against plain; exact: " + judged);
    }
    List<Column<Pair>> columns = new ArrayList<>(List.of(fixed("bits", Pair::bits)));
    addBoth(columns, "distance", Score::distance);
    metrics.forEach(m -> addBoth(columns, title(m), score -> score.metrics().get(m.name())));
    Pair last = pairs.arms().get(pairs.arms().size() - 1).first();
    lab.table(
        pairs.table(
            String.format(
                Locale.ROOT,
                "The %s, exact: %s, %,d bytes; quantized: %,d bytes",
                title,
                outcome.exact().metrics(),
                outcome.exact().bytes(),
                last.noisy().bytes()),
            "quantizer",
            columns));
  }

  private static String title(Metric metric) {
    return metric.name() + " (" + metric.unit() + ")";
  }

  private static void addBoth(
      List<Column<Pair>> columns, String title, ToDoubleFunction<Score> value) {
    columns.add(fixed(title + ", plain", pair -> value.applyAsDouble(pair.plain())));
    columns.add(column(title + " with noise", pair -> value.applyAsDouble(pair.noisy())));
  }

  /** Checks each quantizer with noise against the same without. */
  private static Check every(
      Measured<Pair> pairs, int bits, boolean higher, ToDoubleFunction<Score> value) {
    return Check.all(
        QUANTIZERS.settings().keySet().stream()
            .map(
                name -> {
                  Measured.Arm<Pair> arm = pairs.arm(arm(name, bits));
                  Estimate noisy = arm.of(pair -> value.applyAsDouble(pair.noisy()));
                  double plain = value.applyAsDouble(arm.first().plain());
                  return higher ? Check.above(name, noisy, plain) : Check.below(name, noisy, plain);
                })
            .toArray(Check[]::new));
  }
}
