package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.computed;
import static dev.jformer.studies.Column.named;

import com.google.auto.service.AutoService;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.compress.quantize.LlmFp4;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.nn.quantized.MiniFloatLinear;
import dev.jformer.nn.quantized.MiniFloatLinear.Kind;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.ImageTrial;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.OutlierChannels;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Small.Size;
import dev.jformer.studies.trial.StoredSize;
import dev.jformer.studies.trial.Subject;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * LLM-FP4 (arXiv 2310.16836) beside its baselines: what weights and activations of 4 and 8 bits
 * cost a language model and a classifier of images, and how large the models are then.
 */
@AutoService(Study.class)
public final class LlmFp4Study implements Study {
  private static final double OUTLIER = 20;

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
  private record Width(int weight, int activation) {
    LlmFp4 method(ExperimentContext lab, Kind kind) {
      return new LlmFp4(weight, activation, kind)
          .withSearch(lab.pick(5, 40, 100), lab.pick(1, 2, 3), lab.pick(32, 512, 1024));
    }

    @Override
    public String toString() {
      return "W" + weight + "A" + activation;
    }
  }

  private static final Width SMALLEST = new Width(4, 4);
  private static final List<Width> WIDTHS = List.of(SMALLEST, new Width(4, 8), new Width(8, 8));

  /**
   * A compressed model.
   *
   * @param loss on held-out data, in nats
   * @param judged the metric that tables show: the loss, or the percentage of images that are right
   * @param added by how much the loss is above the model's own
   * @param folding the largest difference of an output between the folded form and the explicit one
   */
  private record Reading(
      double loss, double judged, double added, long bytes, double seconds, double folding) {}

  /** The name of a reading; that of the model itself does not depend on width and outliers. */
  private static String arm(String method, Width width, boolean outliers) {
    return method.equals(FLOATS) ? FLOATS : method + ", " + width + (outliers ? ", outliers" : "");
  }

  @Override
  public void run(ExperimentContext lab) {
    int seeds = lab.pick(1, 2, 3);
    Measured<Reading> language =
        lab.learnTogether("language model", Reading.class, seeds, run -> language(lab, run));
    Measured<Reading> images =
        lab.learnTogether("Vision Transformer", Reading.class, seeds, run -> images(lab, run));
    lab.claim(
        "The folded form of LLM-FP4 is equal to the explicit one of a bias for each channel",
        "equal (section 4.2)",
        Check.all(
            Check.atMost(
                "largest difference of a logit of the language model",
                language.largest(Reading::folding),
                1e-6),
            Check.atMost("of the Vision Transformer", images.largest(Reading::folding), 1e-6)));
    claims(
        lab,
        "language model",
        language,
        "58.1 % right against 42.7 with LLaMA-7B (table 1)",
        "42.7 % right against 37.4 with LLaMA-7B (table 1)",
        "37.4 % right against 38.1 with LLaMA-7B (table 1), both near chance");
    report(lab, "language model", "loss on held-out text (nats per byte)", language);
    claims(lab, "Vision Transformer", images, "much better", "much better", "no worse");
    report(lab, "Vision Transformer", "held-out images that are right (%)", images);
    lab.claim(
        "By 4-bit weights the language model's file becomes less than a quarter of float32's",
        "an eighth, scales and embeddings not counted",
        FLOATS,
        Check.below(
            "share of the bytes",
            language.ratio(arm(SHIFTED, SMALLEST, false), FLOATS, Reading::bytes),
            0.25),
        "Embeddings and positions stay float32 here, and weigh more in a small model.");
    lab.note(
        "Small models have hardly any outlier channels, so everything is measured again on models"
            + " that were given some: in a few channels, the same in all blocks, the gain of the"
            + " norms is %.0f times as large and the weights that follow are smaller by as much, which leaves the"
            + " function as it was. Unlike in large models, these weights are harder to round then.",
        OUTLIER);
    lab.note(
        "Rounded are weights and inputs of the linear layers in blocks; embeddings, norms, the"
            + " output layer and the products inside of attention stay floats. The paper's W4A4 of"
            + " language models rounds the embeddings too, that of BERT and ViT the products. INT is"
            + " a symmetric integer; min-max is E2M1 of 4 bits and E4M3 of 8.");
  }

  private static Map<String, Reading> language(ExperimentContext lab, Trial.Session run) {
    long held = lab.pick(1, 10, 40);
    return new LanguageTrial(
            Small.language(
                lab.pick(
                    new Size(1, 16, 16, 2), new Size(3, 128, 128, 4), new Size(12, 768, 1024, 12))),
            Small.training(lab.pick(4, 500, 50_000), lab.pick(4, 16, 64), 1),
            held)
        .examine(
            run,
            (lm, result) ->
                readings(
                    lab,
                    Subject.language(lm, lab.text(), 8, lab.pick(1, 4, 16), 16, held),
                    run.seed()));
  }

  private static Map<String, Reading> images(ExperimentContext lab, Trial.Session run) {
    TrainingConfig training = Small.training(lab.pick(4, 600, 100_000), lab.pick(4, 64, 128), 1);
    int calibration = lab.pick(1, 4, 16);
    return new ImageTrial(
            lab.scale(),
            Small.vision(
                lab.pick(8, 4, 4), lab.pick(1, 3, 12), lab.pick(16, 96, 192), lab.pick(2, 3, 3)),
            training,
            0)
        .withHeldOut(lab.pick(0.5, 0.03, 0.1))
        .examine(
            run,
            (vit, images, result) ->
                readings(lab, images.subject(vit, training.steps(), calibration), run.seed()));
  }

  private static Map<String, Reading> readings(ExperimentContext lab, Subject subject, long seed) {
    Reading own = reading(subject, subject.model(), 0, 0);
    Map<String, Reading> readings = new LinkedHashMap<>(Map.of(FLOATS, own));
    int channels = Math.max(2, lab.pick(16, 128, 768) / 40);
    try (Scope scope = Scope.open();
        Model changed = OutlierChannels.in(subject.model(), channels, OUTLIER, seed)) {
      for (boolean outliers : List.of(false, true)) {
        for (Width width : WIDTHS) {
          for (String kind : KINDS.settings().keySet()) {
            long start = System.nanoTime();
            try (Model small =
                width
                    .method(lab, KINDS.settings().get(kind))
                    .apply(outliers ? changed : subject.model(), subject)) {
              double seconds = (System.nanoTime() - start) / 1e9;
              readings.put(
                  arm(kind, width, outliers), reading(subject, small, own.loss(), seconds));
            }
          }
        }
      }
    }
    return readings;
  }

  private static Reading reading(Subject subject, Model model, double before, double seconds) {
    Metrics metrics = subject.evaluate(model);
    return new Reading(
        metrics.loss(),
        metrics.all().get(metrics.all().size() - 1).value(),
        metrics.loss() - before,
        StoredSize.bytes(model),
        seconds,
        folding(subject, model));
  }

  /** The largest difference of outputs once each layer is exchanged for its explicit form. */
  private static double folding(Subject subject, Model model) {
    Tensor folded = subject.outputs(model);
    ModelRebuilder.all(model, MiniFloatLinear.class)
        .forEach((name, layer) -> model.replace(name, layer.explicit()));
    return subject.outputs(model).sub(folded).abs().max().item();
  }

  private static void claims(
      ExperimentContext lab, String model, Measured<Reading> all, String... paper) {
    List<String> ranked = List.of(SHIFTED, SEARCHED, MIN_MAX);
    List<String> sentences =
        List.of(
            "LLM-FP4 is much better than the searched baseline",
            "the searched baseline is much better than min-max FP4");
    for (boolean outliers : List.of(false, true)) {
      String of = "W4A4 of a " + model + (outliers ? " with outlier channels: " : ": ");
      for (int i = 0; i < sentences.size(); i++) {
        Estimate other = added(all, ranked.get(i + 1), SMALLEST, outliers);
        lab.claim(
            of + sentences.get(i),
            paper[i],
            ranked.get(i + 1),
            Check.atMost(
                "loss added", added(all, ranked.get(i), SMALLEST, outliers), other.times(0.5)),
            "Much better is to add at most half of the loss that the other adds: %s."
                .formatted(other.text()));
      }
      lab.claim(
          of + "min-max FP4 is at least as good as INT4",
          paper[2],
          INT,
          Check.atMost(
              "loss added",
              added(all, MIN_MAX, SMALLEST, outliers),
              added(all, INT, SMALLEST, outliers)));
    }
  }

  private static Estimate added(
      Measured<Reading> all, String method, Width width, boolean outliers) {
    return all.of(arm(method, width, outliers), Reading::added);
  }

  private static void report(
      ExperimentContext lab, String model, String judged, Measured<Reading> all) {
    List<Column<String>> qualities = new ArrayList<>();
    List<Column<String>> sizes = new ArrayList<>();
    for (Width width : WIDTHS) {
      qualities.add(cell("" + width, all, width, false, Reading::judged));
      qualities.add(cell(width + ", outliers", all, width, true, Reading::judged));
      sizes.add(named(width + " (bytes)", method -> all.first(arm(method, width, false)).bytes()));
      sizes.add(cell(width + " (s)", all, width, false, Reading::seconds));
    }
    Measured<String> methods =
        Measured.named(List.of(FLOATS, INT, MIN_MAX, SEARCHED, SHIFTED), name -> name);
    lab.table(methods.table("A " + model + ": " + judged, "method", qualities));
    lab.table(
        methods.table(
            "A " + model + ": size on disk, and how long compressing takes", "method", sizes));
    List<Figure.Series> curves = new ArrayList<>();
    for (String method : KINDS.settings().keySet()) {
      curves.add(
          Figure.Series.line(
              method,
              WIDTHS,
              width -> (width.weight() + width.activation()) / 2.0,
              width -> Math.max(1e-6, added(all, method, width, true).value())));
    }
    lab.figure(
        Figure.of(
                "A " + model + " with outlier channels",
                "mean of weight and activation bits",
                "loss added (nats)",
                curves)
            .withLogY());
  }

  private static Column<String> cell(
      String title,
      Measured<Reading> all,
      Width width,
      boolean outliers,
      ToDoubleFunction<Reading> value) {
    return computed(title, arm -> all.of(arm(arm.name(), width, outliers), value));
  }
}
