package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.compress.Compression;
import dev.jformer.compress.quantize.NoiseEffect;
import dev.jformer.compress.quantize.NoisyQuant;
import dev.jformer.compress.quantize.Ptq;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.nn.quantized.RangeRule;
import dev.jformer.nn.quantized.RangeRule.Target;
import dev.jformer.nn.quantized.UniformGrid;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Curve;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.trial.ImageTrial;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Small.Size;
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
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * NoisyQuant (arXiv 2211.16056): the theorem's curve, the error of heavy-tailed activations, and a
 * vision transformer, a language model and all-MiniLM-L6-v2 quantized by several quantizers without
 * and with it.
 */
@AutoService(Study.class)
public final class NoisyquantStudy implements Study {
  private static final List<Integer> BITS = List.of(6, 4);

  /** Batches to calibrate on. */
  private static final int CALIBRATION = 4;

  /** Distances of a number from the grid, in steps. */
  private static final List<Double> PLACES =
      IntStream.rangeClosed(0, 20).mapToObj(i -> i / 40.0).toList();

  private static final Arms<IntFunction<Ptq>> QUANTIZERS =
      Arms.<IntFunction<Ptq>>of("min-max", bits -> ptq(bits, false, new RangeRule.MinMax()))
          .arm("percentile 99.9 %", bits -> ptq(bits, false, new RangeRule.Percentile(0.999)))
          .arm("search, activations' error", bits -> ptq(bits, false, search(Target.MSE)))
          .arm("search, output's error, symmetric", bits -> ptq(bits, true, search(Target.OUTPUT)));

  private static Ptq ptq(int bits, boolean symmetric, RangeRule range) {
    return new Ptq(bits, bits, symmetric, range);
  }

  private static RangeRule search(Target target) {
    return new RangeRule.Search(target, 100);
  }

  @Override
  public void run(ExperimentContext lab) {
    theorem(lab);
    Outcome vit = lab.learn("vision transformer", images(lab));
    Outcome lm = lab.learn("language model", language(lab));
    Outcome sentences = lab.measure("sentence encoder", Outcome.class, () -> sentences(lab));
    tails(lab, Measured.of(vit.effects()));
    String points = "up to 1.7 points of ViT and 1.1 of DeiT on ImageNet (abstract)";
    compare(lab, "vision transformer", points, vit);
    compare(lab, "language model", "", lm);
    compare(lab, "sentence encoder", "", sentences);
    lab.note(
        "The output layer, the embedding and the inside of attention stay exact; layers of fewer"
            + " bits multiply int8 numbers too. The noise is the best of 41 sizes on the batches that"
            + " give the quantizers' ranges. Distance is that of a batch's outputs from the exact"
            + " model's, as a share of their norm. The sentence encoder is all-MiniLM-L6-v2.");
  }

  /**
   * The mean squared errors of rounding numbers under noise, in squared steps of the grid.
   *
   * @param noise half its width, in steps
   * @param errors by the quantizer at {@link #PLACES}, over many draws
   */
  private record Rounding(double noise, List<Double> errors) {
    double offTheory() {
      return IntStream.range(0, PLACES.size())
          .mapToDouble(i -> errors.get(i) - NoisyQuant.expectedError(PLACES.get(i), 1, noise))
          .map(Math::abs)
          .max()
          .orElseThrow();
    }

    /** The largest ratio to the errors under other noise, on one side of the edge. */
    double largestRatio(Rounding other, boolean beyond) {
      return IntStream.range(0, PLACES.size())
          .filter(i -> PLACES.get(i) > NoiseEffect.EDGE == beyond)
          .mapToDouble(i -> errors.get(i) / other.errors.get(i))
          .max()
          .orElseThrow();
    }
  }

  private static void theorem(ExperimentContext lab) {
    int draws = lab.pick(200_000, 1_000_000, 1_000_000);
    Measured<Rounding> all =
        lab.measureTogether("theorem", Rounding.class, progress -> roundings(draws));
    lab.figure(
        all.figure(
            "Error of rounding a number with noise, as measured",
            "distance from the grid (steps)",
            "mean squared error (steps²)",
            Curve.at(PLACES, Rounding::errors)));
    lab.claim(
        "The quantizer's error under noise is that of NoisyQuant's theorem",
        "theorem 1",
        Check.atMost("largest difference (steps²)", all.largest(Rounding::offTheory), 1e-3));
    Rounding none = all.first(noise(0));
    Rounding half = all.first(noise(0.5));
    lab.claim(
        "Noise of half a step lowers the error of numbers far from the grid, and of those alone",
        "theorem 1: under a condition",
        noise(0),
        Check.all(
            Check.below(
                "largest error with noise as a share of that without, beyond step/√12",
                half.largestRatio(none, true),
                1),
            Check.below(
                "largest error without noise as a share of that with, nearer than step/√12",
                none.largestRatio(half, false),
                1)));
  }

  private static String noise(double steps) {
    return String.format(Locale.ROOT, "n = %.2f steps", steps);
  }

  private static Map<String, Rounding> roundings(int draws) {
    Random.seed(1);
    UniformGrid grid = new UniformGrid(0.125, 0, 8);
    Map<String, Rounding> all = new LinkedHashMap<>();
    for (double noise : new double[] {0, 0.25, 0.5, 0.75}) {
      double half = noise * grid.scale();
      List<Double> errors = new ArrayList<>();
      for (double place : PLACES) {
        try (Scope scope = Scope.open()) {
          Tensor n = Tensor.empty(DType.FLOAT64, draws).uniform_(-half, half);
          errors.add(grid.error(n.add(place * grid.scale())));
        }
      }
      all.put(noise(noise), new Rounding(noise, errors));
    }
    return all;
  }

  private static void tails(ExperimentContext lab, Measured<NoiseEffect> layers) {
    lab.table(
        layers.table(
            "What GELU gives in the vision transformer, on a min-max grid of "
                + BITS.get(0)
                + " bits: errors in squared steps, with noise of half a step",
            "layer",
            column("kurtosis", NoiseEffect::kurtosis),
            column("farther than step/√12 (%)", effect -> 100 * effect.beyond()),
            column("error, plain", NoiseEffect::plain),
            column("error with noise", NoiseEffect::noisy),
            column("theory", NoiseEffect::theory)));
    lab.claim(
        "NoisyQuant's theorem tells the error of real activations with noise",
        "",
        Check.atMost(
            "largest relative difference in a layer",
            layers.largest(effect -> Math.abs(effect.noisy() / effect.theory() - 1)),
            0.05));
    lab.claim(
        "Noise lowers the error of heavy-tailed activations after GELU",
        "many of them lie together, away from the grid (section 3)",
        "plain",
        Check.below(
            "mean error (steps²) with noise of half a step",
            layers.all(NoiseEffect::noisy).average().orElseThrow(),
            layers.all(NoiseEffect::plain).average().orElseThrow()),
        "A number drawn evenly between two of the grid has an error of 1/12 = 0.0833 without and"
            + " with that noise, so it helps where the plain error is above that.");
  }

  /** Metrics of a model quantized without noise, and with the noise of one seed. */
  private record Pair(int bits, Metrics plain, Metrics noisy) {}

  /** A model, pairs by quantizer and bits with one for each noise, and effects by layer of ViT. */
  private record Outcome(
      Metrics exact,
      String sizes,
      Map<String, List<Pair>> pairs,
      Map<String, NoiseEffect> effects) {}

  private static Trial<Outcome> images(ExperimentContext lab) {
    int batch = lab.pick(4, 64, 128);
    Augmentation none = Augmentation.none();
    return new ImageTrial(
            lab.scale(),
            Small.vision(4, lab.pick(2, 4, 12), lab.pick(16, 96, 384), lab.pick(2, 4, 6)),
            Small.training(lab.pick(3, 800, 40_000), batch, 1),
            0)
        .examined(
            Outcome.class,
            (model, images, result) -> {
              ImageSampler calibration = new ImageSampler(images.training(), 0.05, none, batch, 2);
              ImageSampler test = new ImageSampler(images.test(), 0.2, none, batch, 1);
              Subject subject = Subject.images(model, calibration, 0, CALIBRATION, test);
              return quantize(
                  lab,
                  subject,
                  NoiseEffect.ofInputs(
                      model, name -> name.endsWith("ffn.down"), BITS.get(0), subject));
            });
  }

  private static Trial<Outcome> language(ExperimentContext lab) {
    int batch = lab.pick(2, 16, 32);
    long batches = lab.pick(1, 20, 100);
    return new LanguageTrial(
            Small.language(
                lab.pick(
                    new Size(1, 16, 16, 4), new Size(3, 96, 128, 4), new Size(12, 512, 512, 4))),
            Small.training(lab.pick(3, 500, 20_000), batch, 1),
            lab.pick(1, 10, 40))
        .examined(
            Outcome.class,
            (model, result) ->
                quantize(
                    lab,
                    Subject.language(model, lab.text(), batch, CALIBRATION, batch, batches),
                    Map.of()));
  }

  private static Outcome sentences(ExperimentContext lab) {
    try (TextPairs pairs = new TextPairs(lab.scale(), lab.pick(3, 150, 10_000))) {
      return quantize(lab, Subject.sentences(pairs, lab.pick(2, 64, 256)), Map.of());
    }
  }

  private static Outcome quantize(
      ExperimentContext lab, Subject subject, Map<String, NoiseEffect> effects) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor target = subject.outputs(subject.model());
      Map<String, List<Pair>> all = new LinkedHashMap<>();
      for (String name : QUANTIZERS.settings().keySet()) {
        for (int bits : BITS) {
          Ptq quantizer = QUANTIZERS.settings().get(name).apply(bits);
          Metrics plain = score(subject, List.of(quantizer), target);
          List<Pair> pairs = new ArrayList<>();
          for (int seed = 1; seed <= lab.pick(1, 2, 3); seed++) {
            Compression noisy = new NoisyQuant(quantizer, 40, seed);
            pairs.add(new Pair(bits, plain, score(subject, List.of(noisy), target)));
          }
          all.put(arm(name, bits), pairs);
        }
      }
      long bytes = subject.model().parameterBytes();
      long less = subject.compressed(new NoisyQuant(), Model::parameterBytes);
      String sizes = String.format(Locale.ROOT, "%,d bytes; quantized: %,d bytes", bytes, less);
      return new Outcome(score(subject, List.of(), target), sizes, all, effects);
    }
  }

  private static String arm(String quantizer, int bits) {
    return quantizer + ", " + bits + " bits";
  }

  /** Metrics on held-out data, and the distance of outputs from the exact ones. */
  private static Metrics score(Subject subject, List<Compression> methods, Tensor exact) {
    return subject.compressed(
        methods,
        made -> {
          double off = subject.outputs(made).sub(exact).norm().item() / exact.norm().item();
          return subject.evaluate(made).under(Metric.lower("distance", off, "share of the norm"));
        });
  }

  private static void compare(ExperimentContext lab, String model, String paper, Outcome outcome) {
    Measured<Pair> pairs = Measured.ofRuns(outcome.pairs());
    List<Metric> metrics = outcome.exact().all();
    Metric judged = metrics.get(metrics.size() - 1);
    for (int bits : BITS) {
      String at = "At " + bits + " bits NoisyQuant ";
      lab.claim(
          at + "brings the outputs of the " + model + " nearer with every quantizer",
          "less output error (section 5.3)",
          "plain",
          every(pairs, bits, outcome.exact().primary()));
      lab.claim(
          at + "makes the " + model + " better with every quantizer",
          bits == BITS.get(0) ? paper : "",
          "plain",
          every(pairs, bits, judged),
          title(judged) + ", mean of the noises, against plain; exact: " + judged);
    }
    List<Column<Pair>> columns = new ArrayList<>(List.of(fixed("bits", Pair::bits)));
    for (Metric metric : metrics) {
      String name = metric.name();
      columns.add(fixed(title(metric) + ", plain", pair -> pair.plain().get(name)));
      columns.add(column(title(metric) + " with noise", pair -> pair.noisy().get(name)));
    }
    lab.table(
        pairs.table(
            "The %s, exact: %s, %s".formatted(model, outcome.exact(), outcome.sizes()),
            "quantizer",
            columns));
  }

  private static String title(Metric metric) {
    return metric.name() + " (" + metric.unit() + ")";
  }

  /** Checks each quantizer with noise against the same without. */
  private static Check every(Measured<Pair> pairs, int bits, Metric metric) {
    return Check.each(
        QUANTIZERS.settings().keySet(),
        name -> {
          String arm = arm(name, bits);
          Estimate noisy = pairs.of(arm, pair -> pair.noisy().get(metric.name()));
          double plain = pairs.first(arm).plain().get(metric.name());
          return metric.higherIsBetter()
              ? Check.above(name, noisy, plain)
              : Check.below(name, noisy, plain);
        });
  }
}
