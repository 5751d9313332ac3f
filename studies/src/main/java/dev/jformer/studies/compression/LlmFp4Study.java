package dev.jformer.studies.compression;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.quantize.LlmFp4;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.ffn.Mlp;
import dev.jformer.hub.Models;
import dev.jformer.io.FileTree;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageClassifier;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.quantized.MiniFloatLinear;
import dev.jformer.nn.quantized.MiniFloatLinear.Kind;
import dev.jformer.nn.quantized.MiniFloatQuantizer;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.OutlierChannels;
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
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.ToDoubleFunction;

/**
 * LLM-FP4 (arXiv 2310.16836) beside its baselines: what weights and activations of 4 and 8 bits
 * cost a language model and a classifier of images, and how large the models are then.
 */
@AutoService(Study.class)
public final class LlmFp4Study implements Study {
  private static final double OUTLIER = 20;

  /** "Much better" is to lose at most this share of what the other loses. */
  private static final double MUCH_LESS = 0.5;

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
  }

  /**
   * A compressed model.
   *
   * @param width of weights and activations
   * @param kind how they were found
   * @param outliers whether the model had outlier channels
   * @param loss on held-out data, in nats
   * @param accuracy share of images that are right; 0 of language models
   * @param bytes of the stored weights
   * @param seconds that compressing took
   */
  public record Reading(
      String width,
      String kind,
      boolean outliers,
      double loss,
      double accuracy,
      long bytes,
      double seconds) {}

  /**
   * A trained model and what became of it.
   *
   * @param original loss, accuracy and bytes of the model itself
   * @param readings of what was made of it
   * @param difference the largest one of any output between the folded form and the explicit one
   */
  public record Outcome(Reading original, List<Reading> readings, double difference) {
    double added(Width width, Kind kind, boolean outliers) {
      return reading(width, kind, outliers).loss() - original.loss();
    }

    Reading reading(Width width, Kind kind, boolean outliers) {
      return readings.stream()
          .filter(r -> r.width().equals(width.name()))
          .filter(r -> r.kind().equals(kind.name()))
          .filter(r -> r.outliers() == outliers)
          .findFirst()
          .orElseThrow();
    }
  }

  /** How well a model does on held-out data. */
  private record Score(double loss, double accuracy) {}

  /**
   * A trained model.
   *
   * @param calibration runs such a model
   * @param output what it gives for an example
   * @param judge how well such a model does
   */
  private record Subject(
      Model model,
      CalibrationData calibration,
      Function<Model, Tensor> output,
      Function<Model, Score> judge) {}

  @Override
  public String slug() {
    return "llm-fp4";
  }

  @Override
  public void run(ExperimentContext lab) {
    List<Outcome> language = new ArrayList<>();
    List<Outcome> images = new ArrayList<>();
    for (int seed = 1; seed <= lab.scale().pick(1, 2, 3); seed++) {
      int s = seed;
      language.add(
          lab.measure(
              "language model, seed " + seed,
              Outcome.class,
              progress -> language(lab, s, progress)));
      images.add(
          lab.measure(
              "Vision Transformer, seed " + seed,
              Outcome.class,
              progress -> images(lab.scale(), s, progress)));
    }
    report(lab, language, images);
  }

  private static Outcome language(ExperimentContext lab, int seed, DoubleConsumer progress) {
    Scale scale = lab.scale();
    int length = scale.pick(16, 128, 1024);
    TrainingConfig training =
        Small.training(scale.pick(4, 500, 50_000), scale.pick(4, 16, 64), seed);
    long held = scale.pick(1, 10, 40);
    SoftmaxAttention.Config mixer = new SoftmaxAttention.Config(scale.pick(2, 4, 12), 0);
    Random.seed(seed);
    try (CausalLm model =
        Small.language(scale.pick(1, 3, 12), scale.pick(16, 128, 768), length, mixer).build()) {
      TrainingCurve.of(
          model,
          new LanguageModelling(model, lab.text(), training.batch(), seed, held),
          training,
          done -> progress.accept(done / 2));
      // Text to learn from, as far from the batches trained on as can be.
      SequenceSampler sampler = new SequenceSampler(lab.text(), 8, length, 1_000_003);
      Subject subject =
          new Subject(
              model,
              any -> run(scale, i -> ((CausalLm) any).logits(sampler.batch(i).inputs())),
              any -> ((CausalLm) any).logits(sampler.batch(1000).inputs()),
              any ->
                  new Score(LanguageModelling.evaluate((CausalLm) any, lab.text(), 16, held), 0));
      return outcome(scale, subject, seed, progress);
    }
  }

  private static Outcome images(Scale scale, int seed, DoubleConsumer progress) {
    try (Pictures pictures = new Pictures(scale);
        ImageFile file = pictures.training()) {
      return images(scale, file, seed, progress);
    }
  }

  private static Outcome images(Scale scale, ImageFile file, int seed, DoubleConsumer progress) {
    ImageSampler sampler =
        new ImageSampler(
            file, scale.pick(0.5, 0.03, 0.1), new Augmentation(), scale.pick(4, 64, 128), seed);
    TrainingConfig training = Small.training(scale.pick(4, 600, 100_000), sampler.batch(), seed);
    Random.seed(seed);
    try (VisionTransformer model = vit(scale).withClasses(file.header().classes().size()).build()) {
      try (Scope scope = Scope.open()) {
        Tensor[] channels = sampler.channels();
        model.standardise(channels[0], channels[1]);
      }
      TrainingCurve.of(
          model,
          new ImageClassification(model, sampler, 0),
          training,
          done -> progress.accept(done / 2));
      long unseen = training.steps();
      Subject subject =
          new Subject(
              model,
              any -> run(scale, i -> logits(any, sampler.batch(unseen + i).images())),
              any -> logits(any, sampler.batch(unseen).images()),
              any -> {
                ClassificationScores scores = new ClassificationScores();
                sampler.heldOut((images, labels) -> scores.add(logits(any, images), labels));
                return new Score(scores.loss(), scores.accuracy());
              });
      return outcome(scale, subject, seed, progress);
    }
  }

  private static Tensor logits(Model model, Tensor images) {
    return ((ImageClassifier) model).logits(images);
  }

  private static VisionTransformer.Config vit(Scale scale) {
    return Small.vision(
        scale.pick(8, 4, 4),
        scale.pick(1, 3, 12),
        scale.pick(16, 96, 192),
        new SoftmaxAttention.Config(scale.pick(2, 3, 3), 0),
        new Mlp.Config());
  }

  private static void run(Scale scale, IntConsumer batch) {
    for (int i = 0; i < scale.pick(1, 4, 16); i++) {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        batch.accept(i);
      }
    }
  }

  private static Outcome outcome(Scale scale, Subject subject, int seed, DoubleConsumer progress) {
    subject.model().train(false);
    List<Reading> readings = new ArrayList<>();
    double difference = 0;
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      int width = scale.pick(16, 128, 768);
      Model changed = OutlierChannels.in(subject.model(), Math.max(2, width / 40), OUTLIER, seed);
      int all = 2 * Width.values().length * Kind.values().length;
      for (boolean outliers : new boolean[] {false, true}) {
        Model model = outliers ? changed : subject.model();
        for (Width bits : Width.values()) {
          for (Kind kind : Kind.values()) {
            long start = System.nanoTime();
            LlmFp4 method =
                new LlmFp4(
                    bits.weight,
                    bits.activation,
                    kind,
                    0,
                    0,
                    scale.pick(5, 40, 100),
                    scale.pick(1, 2, 3),
                    scale.pick(32, 512, 1024));
            try (Model small = method.apply(model, subject.calibration())) {
              double seconds = (System.nanoTime() - start) / 1e9;
              readings.add(reading(bits.name(), kind.name(), outliers, subject, small, seconds));
              if (kind == Kind.PRE_SHIFTED) {
                difference = Math.max(difference, difference(subject, small));
              }
            }
            progress.accept(0.5 + 0.5 * readings.size() / all);
          }
        }
      }
      changed.close();
      Reading original = reading("", "", false, subject, subject.model(), 0);
      return new Outcome(original, readings, difference);
    }
  }

  private static Reading reading(
      String width, String kind, boolean outliers, Subject subject, Model model, double seconds) {
    Score score = subject.judge().apply(model);
    return new Reading(
        width, kind, outliers, score.loss(), score.accuracy(), bytes(model), seconds);
  }

  private static long bytes(Model model) {
    try {
      Path folder = Files.createTempDirectory("jformer-model");
      try {
        Models.save(model, folder);
        return Files.size(folder.resolve("model.safetensors"));
      } finally {
        FileTree.delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot keep a model", e);
    }
  }

  /** The largest difference of outputs once each layer is exchanged for its explicit form. */
  private static double difference(Subject subject, Model small) {
    Tensor folded = subject.output().apply(small);
    small
        .modules()
        .forEach(
            (name, module) -> {
              if (module instanceof MiniFloatLinear layer) {
                small.replace(name, new Explicit(layer));
              }
            });
    return subject.output().apply(small).sub(folded).abs().max().item();
  }

  /** Rounds each channel in steps of its own; the weights know nothing of it. */
  private static final class Explicit extends Layer {
    private final MiniFloatQuantizer activations;
    private final Tensor weight;
    private final Tensor bias;

    Explicit(MiniFloatLinear layer) {
      this.activations = layer.activations();
      this.weight = layer.weight();
      this.bias = layer.bias() == null ? null : layer.bias().value().detach();
    }

    @Override
    public Tensor forward(Tensor x) {
      return Functional.linear(activations.round(x), weight, bias);
    }
  }

  private static void report(ExperimentContext lab, List<Outcome> language, List<Outcome> images) {
    lab.claim(
        "The folded form is equal to the explicit one of a bias for each channel",
        "equal (section 4.2)",
        Check.all(
            Check.atMost("of a logit of the language model", worst(language), 1e-6),
            Check.atMost("of the Vision Transformer", worst(images), 1e-6)),
        "The largest difference of an output, all layers folded against all layers explicit.");
    ranks(
        lab,
        "a language model",
        language,
        "58.1 % right against 42.7 with LLaMA-7B (table 1)",
        "42.7 % right against 37.4 with LLaMA-7B (table 1)",
        "37.4 % right against 38.1 with LLaMA-7B (table 1), both near chance");
    ranks(lab, "a Vision Transformer", images, "much better", "much better", "no worse");
    double share = share(language, Width.W4A4);
    lab.claim(
        "By 4-bit weights the language model's file becomes less than a quarter of float32's",
        "an eighth, scales and embeddings not counted",
        Check.below("share of the bytes", share, 0.25),
        "Embeddings and positions stay float32 here, and weigh more in a small model.");
    lab.table(table("Language model: loss on held-out text (nats per byte)", language, false));
    lab.table(table("Vision Transformer: held-out images that are right (%)", images, true));
    lab.table(sizes(language, images));
    lab.figure(figure("Language model, outlier channels", language));
    lab.figure(figure("Vision Transformer, outlier channels", images));
    lab.note(
        "Means over "
            + language.size()
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

  private static double added(List<Outcome> outcomes, Width width, Kind kind, boolean outliers) {
    return Seeds.mean(outcomes, o -> o.added(width, kind, outliers));
  }

  private static double share(List<Outcome> outcomes, Width width) {
    return Seeds.mean(
        outcomes,
        o -> (double) o.reading(width, Kind.PRE_SHIFTED, false).bytes() / o.original().bytes());
  }

  private static void ranks(
      ExperimentContext lab, String what, List<Outcome> outcomes, String... paper) {
    for (boolean outliers : new boolean[] {false, true}) {
      String with = " of " + what + (outliers ? " with outlier channels" : "");
      double shifted = added(outcomes, Width.W4A4, Kind.PRE_SHIFTED, outliers);
      double searched = added(outcomes, Width.W4A4, Kind.SEARCHED, outliers);
      double minMax = added(outcomes, Width.W4A4, Kind.MIN_MAX, outliers);
      double integers = added(outcomes, Width.W4A4, Kind.INT, outliers);
      lab.claim(
          "W4A4" + with + ": LLM-FP4 is much better than the searched baseline",
          paper[0],
          Check.atMost("loss added", shifted, MUCH_LESS * searched),
          "Much better is to add at most half of the loss that the other adds: "
              + Check.number(searched)
              + ".");
      lab.claim(
          "W4A4" + with + ": the searched baseline is much better than min-max FP4",
          paper[1],
          Check.atMost("loss added", searched, MUCH_LESS * minMax),
          "As above; min-max adds " + Check.number(minMax) + ".");
      lab.claim(
          "W4A4" + with + ": min-max FP4 is at least as good as INT4",
          paper[2],
          Check.atMost("loss added", minMax, integers));
    }
  }

  private static Table table(String title, List<Outcome> outcomes, boolean accuracy) {
    ToDoubleFunction<Reading> value = accuracy ? r -> 100 * r.accuracy() : Reading::loss;
    List<String> columns = new ArrayList<>(List.of("method"));
    for (Width width : Width.values()) {
      columns.add(width.name());
      columns.add(width + ", outliers");
    }
    columns.add("spread of W4A4, outliers");
    List<List<String>> rows = new ArrayList<>();
    List<Object> plain = new ArrayList<>(List.of("float32"));
    for (int i = 0; i < 2 * Width.values().length; i++) {
      plain.add(Seeds.mean(outcomes, o -> value.applyAsDouble(o.original())));
    }
    plain.add(Seeds.spread(outcomes, o -> value.applyAsDouble(o.original())));
    rows.add(Table.row(plain.toArray()));
    for (Kind kind : Kind.values()) {
      List<Object> row = new ArrayList<>(List.of(name(kind)));
      for (Width width : Width.values()) {
        for (boolean outliers : new boolean[] {false, true}) {
          row.add(Seeds.mean(outcomes, o -> value.applyAsDouble(o.reading(width, kind, outliers))));
        }
      }
      row.add(Seeds.spread(outcomes, o -> value.applyAsDouble(o.reading(Width.W4A4, kind, true))));
      rows.add(Table.row(row.toArray()));
    }
    return new Table(title, columns, rows);
  }

  private static String name(Kind kind) {
    return switch (kind) {
      case INT -> "INT, min-max";
      case MIN_MAX -> "FP, min-max";
      case SEARCHED -> "FP, searched (baseline)";
      case PRE_SHIFTED -> "LLM-FP4";
    };
  }

  private static Table sizes(List<Outcome> language, List<Outcome> images) {
    List<List<String>> rows = new ArrayList<>();
    for (Width width : Width.values()) {
      for (Kind kind : List.of(Kind.SEARCHED, Kind.PRE_SHIFTED)) {
        ToDoubleFunction<Outcome> bytes = o -> o.reading(width, kind, false).bytes();
        ToDoubleFunction<Outcome> seconds = o -> o.reading(width, kind, false).seconds();
        rows.add(
            Table.row(
                width + ", " + name(kind),
                (long) Seeds.mean(language, bytes),
                (long) Seeds.mean(images, bytes),
                Seeds.mean(language, seconds),
                Seeds.mean(images, seconds)));
      }
    }
    rows.add(
        Table.row(
            "float32",
            language.get(0).original().bytes(),
            images.get(0).original().bytes(),
            0.0,
            0.0));
    return new Table(
        "On disk, and how long compressing takes",
        List.of(
            "weights and activations",
            "language model (bytes)",
            "Vision Transformer (bytes)",
            "language model (s)",
            "Vision Transformer (s)"),
        rows);
  }

  private static Figure figure(String title, List<Outcome> outcomes) {
    List<Figure.Series> series = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      List<Double> bits = new ArrayList<>();
      List<Double> added = new ArrayList<>();
      for (Width width : Width.values()) {
        bits.add((double) (width.weight + width.activation) / 2);
        added.add(Math.max(1e-6, added(outcomes, width, kind, true)));
      }
      series.add(Figure.Series.line(name(kind), bits, added));
    }
    return new Figure(
        title, "mean of weight and activation bits", "loss added (nats)", false, true, series);
  }
}
