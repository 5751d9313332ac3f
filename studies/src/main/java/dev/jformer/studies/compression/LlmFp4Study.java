package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.compress.quantize.LlmFp4;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.nn.Layer;
import dev.jformer.nn.quantized.MiniFloatLinear;
import dev.jformer.nn.quantized.MiniFloatLinear.Kind;
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
import dev.jformer.studies.trial.OutlierChannels;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.StoredSize;
import dev.jformer.studies.trial.Subject;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * LLM-FP4 (arXiv 2310.16836) beside its baselines: what weights and activations of 4 and 8 bits
 * cost a language model and a classifier of images, and how large the models are then.
 */
@AutoService(Study.class)
public final class LlmFp4Study implements Study {
  private static final double OUTLIER = 20;

  /** "Much better" is to lose at most this share of what the other loses. */
  private static final double MUCH_LESS = 0.5;

  private static final String FLOATS = "float32";
  private static final String INT = "INT, min-max";
  private static final String MIN_MAX = "FP, min-max";
  private static final String SEARCHED = "FP, searched (baseline)";
  private static final String SHIFTED = "LLM-FP4";
  private static final Arms<Kind> KINDS =
      Arms.of(INT, Kind.INT)
          .arm(MIN_MAX, Kind.MIN_MAX)
          .arm(SEARCHED, Kind.SEARCHED)
          .arm(SHIFTED, Kind.PRE_SHIFTED);

  /** How many bits weights and activations have. */
  private enum Width {
    W4A4(4, 4),
    W4A8(4, 8),
    W8A8(8, 8);

    private final int weight;
    private final int activation;

    Width(int weight, int activation) {
      this.weight = weight;
      this.activation = activation;
    }

    LlmFp4 method(Scale scale, Kind kind) {
      return new LlmFp4(weight, activation, kind)
          .withSearch(scale.pick(5, 40, 100), scale.pick(1, 2, 3), scale.pick(32, 512, 1024));
    }

    String with(boolean outliers) {
      return name() + (outliers ? ", outliers" : "");
    }
  }

  /**
   * A compressed model.
   *
   * @param loss on held-out data, in nats
   * @param judged the metric that tables show: the loss, or the percentage of images that are right
   * @param added by how much the loss is above the model's own
   * @param bytes of the stored weights
   * @param seconds that compressing took
   */
  public record Reading(double loss, double judged, double added, long bytes, double seconds) {}

  /** Readings of a method by width, without and with outlier channels. */
  public record Method(Map<String, Reading> readings) {
    Reading at(Width width, boolean outliers) {
      return readings.get(width.with(outliers));
    }
  }

  /**
   * What became of a trained model.
   *
   * @param methods by name, the model itself among them
   * @param difference the largest one of any output between the folded form and the explicit one
   */
  public record Outcome(Map<String, Method> methods, double difference) {}

  @Override
  public void run(ExperimentContext lab) {
    int seeds = lab.scale().pick(1, 2, 3);
    List<Outcome> language =
        lab.learn(
            "language model",
            Trial.of(Outcome.class, session -> language(lab, session.seed()).run(session)),
            seeds);
    List<Outcome> images =
        lab.learn(
            "Vision Transformer",
            Trial.of(Outcome.class, session -> images(lab.scale(), session.seed()).run(session)),
            seeds);
    lab.claim(
        "The folded form of LLM-FP4 is equal to the explicit one of a bias for each channel",
        "equal (section 4.2)",
        Check.all(
            Check.atMost("of a logit of the language model", worst(language), 1e-6),
            Check.atMost("of the Vision Transformer", worst(images), 1e-6)),
        "The largest difference of an output, all layers folded against all layers explicit.");
    report(
        lab,
        "language model",
        "loss on held-out text (nats per byte)",
        Measured.within(language, Outcome::methods),
        "58.1 % right against 42.7 with LLaMA-7B (table 1)",
        "42.7 % right against 37.4 with LLaMA-7B (table 1)",
        "37.4 % right against 38.1 with LLaMA-7B (table 1), both near chance");
    report(
        lab,
        "Vision Transformer",
        "held-out images that are right (%)",
        Measured.within(images, Outcome::methods),
        "much better",
        "much better",
        "no worse");
    lab.claim(
        "By 4-bit weights the language model's file becomes less than a quarter of" + " float32's",
        "an eighth, scales and embeddings not counted",
        FLOATS,
        Check.below(
            "share of the bytes",
            Measured.within(language, Outcome::methods)
                .ratio(SHIFTED, FLOATS, m -> m.at(Width.W4A4, false).bytes()),
            0.25),
        "Embeddings and positions stay float32 here, and weigh more in a small model.");
    lab.note(
        "Means over "
            + seeds
            + " seeds; each trains a model anew. Small models have hardly any outlier channels, so"
            + " everything is measured a second time on models that were given some: in a few"
            + " channels, the same in all blocks, the gain of the norms is "
            + (int) OUTLIER
            + " times as large, and the weights that follow are smaller by as much, which leaves"
            + " the function as it was. Rounding these weights is harder then, too, which it is not"
            + " in large models whose outliers come of themselves.");
    lab.note(
        "Rounded are weights and inputs of the linear layers in blocks. Embeddings, norms, the"
            + " output layer and the products inside of attention stay floats; the paper's W4A4 of"
            + " language models rounds the embeddings too, and that of BERT and ViT the products."
            + " INT is a symmetric integer; min-max is E2M1 of 4 bits and E4M3 of 8. Weights have"
            + " a scale for each output in all methods.");
  }

  private static double worst(List<Outcome> outcomes) {
    return outcomes.stream().mapToDouble(Outcome::difference).max().orElse(Double.NaN);
  }

  // ---- Models

  private static Trial<Outcome> language(ExperimentContext lab, long seed) {
    Scale scale = lab.scale();
    long held = scale.pick(1, 10, 40);
    return new LanguageTrial(
            Small.language(
                scale.pick(1, 3, 12),
                scale.pick(16, 128, 768),
                scale.pick(16, 128, 1024),
                scale.pick(2, 4, 12)),
            Small.training(scale.pick(4, 500, 50_000), scale.pick(4, 16, 64), 1),
            held,
            null)
        .examined(
            Outcome.class,
            (model, result) ->
                outcome(
                    scale,
                    Subject.language(model, lab.text(), 8, scale.pick(1, 4, 16), 16, held),
                    seed));
  }

  private static Trial<Outcome> images(Scale scale, long seed) {
    TrainingConfig training =
        Small.training(scale.pick(4, 600, 100_000), scale.pick(4, 64, 128), 1);
    return new ImageTrial(
            scale,
            Small.vision(
                scale.pick(8, 4, 4),
                scale.pick(1, 3, 12),
                scale.pick(16, 96, 192),
                scale.pick(2, 3, 3)),
            training,
            0)
        .withHeldOut(scale.pick(0.5, 0.03, 0.1))
        .examined(
            Outcome.class,
            (model, images, result) ->
                outcome(
                    scale, images.subject(model, training.steps(), scale.pick(1, 4, 16)), seed));
  }

  private static Outcome outcome(Scale scale, Subject subject, long seed) {
    Reading plain = reading(subject, subject.model(), 0, 0);
    Map<String, Method> methods = new LinkedHashMap<>();
    methods.put(FLOATS, new Method(new LinkedHashMap<>()));
    double difference = 0;
    int channels = Math.max(2, scale.pick(16, 128, 768) / 40);
    try (Scope scope = Scope.open();
        Model changed = OutlierChannels.in(subject.model(), channels, OUTLIER, seed)) {
      for (boolean outliers : new boolean[] {false, true}) {
        for (Width width : Width.values()) {
          methods.get(FLOATS).readings().put(width.with(outliers), plain);
          for (var arm : KINDS.settings().entrySet()) {
            Method method =
                methods.computeIfAbsent(arm.getKey(), n -> new Method(new LinkedHashMap<>()));
            long start = System.nanoTime();
            try (Model small =
                width
                    .method(scale, arm.getValue())
                    .apply(outliers ? changed : subject.model(), subject)) {
              double seconds = (System.nanoTime() - start) / 1e9;
              Reading reading = reading(subject, small, plain.loss(), seconds);
              method.readings().put(width.with(outliers), reading);
              if (arm.getKey().equals(SHIFTED)) {
                difference = Math.max(difference, difference(subject, small));
              }
            }
          }
        }
      }
    }
    return new Outcome(methods, difference);
  }

  private static Reading reading(Subject subject, Model model, double before, double seconds) {
    Metrics metrics = subject.evaluate(model);
    double judged = metrics.all().get(metrics.all().size() - 1).value();
    return new Reading(
        metrics.loss(), judged, metrics.loss() - before, StoredSize.bytes(model), seconds);
  }

  /** The largest difference of outputs once each layer is exchanged for its explicit form. */
  private static double difference(Subject subject, Model small) {
    Tensor folded = subject.outputs(small);
    small
        .modules()
        .forEach(
            (name, module) -> {
              if (module instanceof MiniFloatLinear layer) {
                small.replace(name, new Explicit(layer));
              }
            });
    return subject.outputs(small).sub(folded).abs().max().item();
  }

  /** Rounds each channel in steps of its own; the weights know nothing of it. */
  private static final class Explicit extends Layer {
    private final MiniFloatLinear folded;

    Explicit(MiniFloatLinear folded) {
      this.folded = folded;
    }

    @Override
    public Tensor forward(Tensor x) {
      Tensor bias = folded.bias() == null ? null : folded.bias().value();
      return Functional.linear(folded.activations().round(x), folded.weight(), bias);
    }
  }

  // ---- Report

  private static void report(
      ExperimentContext lab,
      String model,
      String judged,
      Measured<Method> methods,
      String... paper) {
    for (boolean outliers : new boolean[] {false, true}) {
      String with = "W4A4 of a " + model + (outliers ? " with outlier channels: " : ": ");
      ToDoubleFunction<Method> added = method -> method.at(Width.W4A4, outliers).added();
      rank(
          lab,
          with + "LLM-FP4 is much better than the searched baseline",
          paper[0],
          SEARCHED,
          methods.of(SHIFTED, added),
          methods.of(SEARCHED, added));
      rank(
          lab,
          with + "the searched baseline is much better than min-max FP4",
          paper[1],
          MIN_MAX,
          methods.of(SEARCHED, added),
          methods.of(MIN_MAX, added));
      lab.claim(
          with + "min-max FP4 is at least as good as INT4",
          paper[2],
          INT,
          methods.atMost("loss added", MIN_MAX, INT, added));
    }
    List<Column<Method>> columns = new ArrayList<>();
    List<Column<Method>> sizes = new ArrayList<>();
    for (Width width : Width.values()) {
      columns.add(column(width.name(), m -> m.at(width, false).judged()));
      columns.add(column(width + ", outliers", m -> m.at(width, true).judged()));
      sizes.add(fixed(width + " (bytes)", m -> m.at(width, false).bytes()));
      sizes.add(column(width + " (s)", m -> m.at(width, false).seconds()));
    }
    lab.table(methods.table("A " + model + ": " + judged, "method", columns));
    lab.table(
        methods.table(
            "A " + model + ": size on disk, and how long compressing takes", "method", sizes));
    List<Double> bits = new ArrayList<>();
    for (Width width : Width.values()) {
      bits.add((width.weight + width.activation) / 2.0);
    }
    lab.figure(
        new Figure(
            "A " + model + " with outlier channels",
            "mean of weight and activation bits",
            "loss added (nats)",
            false,
            true,
            methods.without(FLOATS).arms().stream().map(arm -> curve(arm, bits)).toList()));
  }

  private static void rank(
      ExperimentContext lab,
      String sentence,
      String paper,
      String control,
      Estimate value,
      Estimate other) {
    lab.claim(
        sentence,
        paper,
        control,
        Check.atMost("loss added", value, other.times(MUCH_LESS)),
        "Much better is to add at most half of the loss that the other adds: "
            + other.text()
            + ".");
  }

  private static Figure.Series curve(Measured.Arm<Method> arm, List<Double> bits) {
    List<Double> added =
        Stream.of(Width.values())
            .map(width -> Math.max(1e-6, arm.of(m -> m.at(width, true).added()).value()))
            .toList();
    return Figure.Series.line(arm.name(), bits, added);
  }
}
