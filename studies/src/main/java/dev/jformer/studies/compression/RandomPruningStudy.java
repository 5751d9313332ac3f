package dev.jformer.studies.compression;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.prune.RandomPruning;
import dev.jformer.compress.prune.RandomPruning.Ratios;
import dev.jformer.config.Configs;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
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
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.ToDoubleFunction;

/**
 * Random pruning at initialisation (arXiv 2202.02643): vision transformers whose weights are left
 * out by chance before they learn to classify CIFAR-10, of several widths, densities and rules for
 * the layers' shares; what they get right, how well they know it, and how they take other images.
 */
@AutoService(Study.class)
public final class RandomPruningStudy implements Study {
  private static final double MODERATE = 0.5;
  private static final double HIGH = 0.8;

  /** So many points are no difference. */
  private static final double POINT = 1;

  /** By so much of 0 to 1 a pixel is changed in an attack. */
  private static final double ATTACK = 2.0 / 255;

  /**
   * A trained model.
   *
   * @param accuracy share of test images that are right
   * @param calibration expected calibration error
   * @param detection share of pairs of a test image and one of no class in which the model is surer
   *     of the former (AUROC)
   * @param robust share of test images that are right after an attack along the gradient's sign
   * @param weights number of weights
   */
  private record Outcome(
      double accuracy, double calibration, double detection, double robust, double weights) {}

  @Override
  public String slug() {
    return "random-pruning";
  }

  @Override
  public void run(ExperimentContext lab) {
    List<Integer> widths = lab.scale().pick(List.of(8), List.of(12, 24, 48, 96), widths());
    int base = lab.scale().pick(8, 48, 384);
    Map<Integer, Map<Double, List<Outcome>>> byWidth = new LinkedHashMap<>();
    Map<Ratios, List<Outcome>> byRatios = new LinkedHashMap<>();
    try (Images images = new Images(lab.scale())) {
      for (int width : widths) {
        Map<Double, List<Outcome>> bySparsity = new LinkedHashMap<>();
        for (double sparsity : List.of(0.0, MODERATE, HIGH)) {
          bySparsity.put(sparsity, learn(lab, images, width, sparsity, Ratios.ERK));
        }
        byWidth.put(width, bySparsity);
      }
      for (Ratios ratios : Ratios.values()) {
        byRatios.put(ratios, learn(lab, images, base, HIGH, ratios));
      }
    }
    report(lab, byWidth, byRatios);
  }

  /** Unpacked when something is measured first, and for all that follows. */
  private static final class Images implements AutoCloseable {
    private final Pictures pictures;
    private ImageFile training;
    private ImageFile test;
    private ImageFile others;

    Images(Scale scale) {
      this.pictures = new Pictures(scale);
    }

    void open() {
      if (training == null) {
        training = pictures.training();
        test = pictures.test();
        others = pictures.others();
      }
    }

    @Override
    public void close() {
      if (training != null) {
        training.close();
        test.close();
        others.close();
      }
      pictures.close();
    }
  }

  private static List<Integer> widths() {
    return List.of(96, 192, 384, 768);
  }

  // ---- Training

  private static List<Outcome> learn(
      ExperimentContext lab, Images images, int width, double sparsity, Ratios ratios) {
    List<Outcome> outcomes = new ArrayList<>();
    for (int seed = 1; seed <= lab.scale().pick(1, 2, 3); seed++) {
      long s = seed;
      String name =
          String.format(
              Locale.ROOT,
              "width %d, %s, seed %d",
              width,
              sparsity == 0 ? "dense" : Check.number(sparsity) + " left out by " + ratios,
              seed);
      outcomes.add(
          lab.measure(
              name,
              Outcome.class,
              progress -> learn(lab.scale(), images, width, sparsity, ratios, s, progress)));
    }
    return outcomes;
  }

  private static Outcome learn(
      Scale scale,
      Images images,
      int width,
      double sparsity,
      Ratios ratios,
      long seed,
      DoubleConsumer progress) {
    images.open();
    int batch = scale.pick(4, 64, 128);
    ImageSampler sampler = new ImageSampler(images.training, 0.05, new Augmentation(), batch, seed);
    int classes = images.training.header().classes().size();
    Random.seed(seed);
    try (ImageModel dense = config(scale, width, classes).build()) {
      try (Scope scope = Scope.open()) {
        Tensor[] channels = sampler.channels();
        dense.standardise(channels[0], channels[1]);
      }
      ImageModel model = pruned(dense, sampler, sparsity, ratios, seed);
      try {
        int steps = scale.pick(2, 300, 30_000);
        // One evaluation in the end is enough.
        TrainingConfig training = Small.training(steps, batch, seed).withSteps(steps, 1);
        TrainingCurve.of(model, new ImageClassification(model, sampler, 0), training, progress);
        model.train(false);
        return judged(scale, model, images.test, images.others);
      } finally {
        if (model != dense) {
          model.close();
        }
      }
    }
  }

  /** The model itself where nothing is left out. */
  private static ImageModel pruned(
      ImageModel dense, ImageSampler sampler, double sparsity, Ratios ratios, long seed) {
    if (sparsity == 0) {
      return dense;
    }
    CalibrationData data =
        new CalibrationData() {
          @Override
          public void run(Model model) {
            ((ImageModel) model).logits(sampler.batch(0).images());
          }

          @Override
          public Tensor loss(Model model) {
            return new ImageClassification((ImageModel) model, sampler, 0).loss(0);
          }
        };
    return (ImageModel) new RandomPruning(sparsity, ratios, seed).apply(dense, data);
  }

  private static ImageModel.Config config(Scale scale, int width, int classes) {
    String json =
        String.format(
            Locale.ROOT,
            "{\"model\":\"vit\",\"classes\":%d,\"patch\":8,\"stem\":\"convolutional\","
                + "\"layers\":%d,\"width\":%d,\"mixer\":{\"type\":\"softmax\",\"heads\":%d}}",
            classes,
            scale.pick(3, 4, 12),
            width,
            scale.pick(2, 4, 6));
    return (ImageModel.Config) Configs.parse(json, Model.Config.class);
  }

  // ---- Judging

  private static Outcome judged(Scale scale, ImageModel model, ImageFile test, ImageFile others) {
    ClassificationScores scores = new ClassificationScores();
    var calibration = new dev.jformer.studies.trial.CalibrationError();
    List<Double> known = new ArrayList<>();
    List<Double> unknown = new ArrayList<>();
    long[] attacked = new long[2];
    try (Mode mode = Autograd.noGrad()) {
      ImageSampler.all(
          test,
          (images, labels) -> {
            Tensor logits = model.logits(images);
            scores.add(logits, labels);
            calibration.add(logits, labels);
            known.addAll(sureness(logits));
            if (attacked[1] < scale.pick(8, 1000, 5000)) {
              attacked[0] += rightUnderAttack(model, images, labels);
              attacked[1] += labels.elements();
            }
          });
      ImageSampler.all(others, (images, labels) -> unknown.addAll(sureness(model.logits(images))));
    }
    return new Outcome(
        scores.accuracy(),
        calibration.error(),
        surer(known, unknown),
        (double) attacked[0] / attacked[1],
        model.parameterCount());
  }

  /** The highest probability of each image. */
  private static List<Double> sureness(Tensor logits) {
    return Arrays.stream(logits.softmax(1).max(1, false).toDoubles()).boxed().toList();
  }

  /** The share of pairs in which the first is larger; halves for equal ones. */
  private static double surer(List<Double> known, List<Double> unknown) {
    double[] sorted = unknown.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    double sum = 0;
    for (double value : known) {
      int low = lower(sorted, value);
      int high = lower(sorted, Math.nextUp(value));
      sum += low + 0.5 * (high - low);
    }
    return sum / ((double) known.size() * sorted.length);
  }

  /** How many are smaller. */
  private static int lower(double[] sorted, double value) {
    int from = 0;
    int to = sorted.length;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (sorted[middle] < value) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  /** The fast gradient sign method (arXiv 1412.6572). */
  private static long rightUnderAttack(ImageModel model, Tensor images, Tensor labels) {
    Tensor changed;
    try (Mode mode = Autograd.enableGrad()) {
      Tensor input = images.copy().requiresGrad(true);
      Tensor loss = Functional.crossEntropy(model.logits(input), labels, -1, 0);
      Tensor gradient = Autograd.grad(loss, null, false, input).get(0);
      changed = images.add(gradient.detach().sign(), ATTACK).clamp(0, 1);
    }
    Tensor right = model.logits(changed).argmax(1).eq(labels);
    return (long) Arrays.stream(right.toDoubles()).sum();
  }

  // ---- What was found

  private static void report(
      ExperimentContext lab,
      Map<Integer, Map<Double, List<Outcome>>> byWidth,
      Map<Ratios, List<Outcome>> byRatios) {
    List<String> columns =
        List.of(
            "",
            "left out (%)",
            "right (%)",
            "spread",
            "calibration error (%)",
            "other images told (AUROC, %)",
            "right under attack (%)",
            "weights");
    List<List<String>> rows = new ArrayList<>();
    byWidth.forEach(
        (width, all) ->
            all.forEach((sparsity, outcomes) -> rows.add(row("" + width, sparsity, outcomes))));
    lab.table(new Table("Widths; left out by ERK", columns, rows));
    List<List<String>> rules = new ArrayList<>();
    byRatios.forEach((ratios, outcomes) -> rules.add(row("" + ratios, HIGH, outcomes)));
    lab.table(new Table("Rules for the layers' shares", columns, rules));
    List<Double> widths = byWidth.keySet().stream().map(w -> (double) w).toList();
    List<Figure.Series> series = new ArrayList<>();
    for (double sparsity : List.of(0.0, MODERATE, HIGH)) {
      series.add(
          Figure.Series.line(
              sparsity == 0 ? "dense" : Check.number(100 * sparsity) + " % left out",
              widths,
              byWidth.values().stream().map(all -> right(all.get(sparsity))).toList()));
    }
    lab.figure(new Figure("Test images that are right", "width", "right (%)", true, false, series));
    List<Map<Double, List<Outcome>>> all = List.copyOf(byWidth.values());
    claims(lab, all.get(0), all.get(all.size() - 1), byRatios);
    lab.note(
        "Vision transformers of 4 blocks and a convolutional stem on 20,000 images of CIFAR-10,"
            + " patches of 8 x 8, 300 updates of 64 images, two seeds. Left out are weights of the"
            + " linear layers in the blocks; the stem, with the only kernels, and the head stay"
            + " whole, so that ERK is ER here. Other images are handwritten characters of"
            + " Omniglot; an attack changes pixels by 2/255 along the gradient's sign.");
  }

  private static List<String> row(String name, double sparsity, List<Outcome> outcomes) {
    return Table.row(
        name,
        100 * sparsity,
        right(outcomes),
        100 * Seeds.spread(outcomes, Outcome::accuracy),
        mean(outcomes, Outcome::calibration),
        mean(outcomes, Outcome::detection),
        mean(outcomes, Outcome::robust),
        Seeds.mean(outcomes, Outcome::weights));
  }

  private static double right(List<Outcome> outcomes) {
    return mean(outcomes, Outcome::accuracy);
  }

  private static double mean(List<Outcome> outcomes, ToDoubleFunction<Outcome> value) {
    return 100 * Seeds.mean(outcomes, value);
  }

  private static void claims(
      ExperimentContext lab,
      Map<Double, List<Outcome>> narrow,
      Map<Double, List<Outcome>> wide,
      Map<Ratios, List<Outcome>> byRatios) {
    lab.claim(
        "What leaving out by chance costs shrinks as the net gets wider",
        "gaps close from ResNet-20 of width 1/4 to the full one, and with depth (figure 2)",
        Check.below(
            "points lost at the largest width and high sparsity",
            right(wide.get(0.0)) - right(wide.get(HIGH)),
            right(narrow.get(0.0)) - right(narrow.get(HIGH))));
    lab.claim(
        "In the widest net nothing is lost at moderate sparsity",
        "random pruning matches the dense net once it is wide and deep enough",
        Check.atLeast("right (%)", right(wide.get(MODERATE)), right(wide.get(0.0)) - POINT));
    lab.claim(
        "ERK is at least as good as equal shares",
        "ERK above uniform, most at high sparsity (figure 3)",
        Check.atLeast(
            "right by ERK (%)",
            right(byRatios.get(Ratios.ERK)), right(byRatios.get(Ratios.UNIFORM))));
    double calibration = mean(wide.get(MODERATE), Outcome::calibration);
    lab.claim(
        "A randomly pruned net is calibrated no worse than the dense net",
        "lower ECE in most settings (figure 5)",
        Check.atMost(
            "calibration error (%)",
            calibration, mean(wide.get(0.0), Outcome::calibration) + POINT));
    lab.claim(
        "A randomly pruned net tells other images no worse than the dense net",
        "higher AUROC in most settings (figure 5)",
        Check.atLeast(
            "AUROC (%)",
            mean(wide.get(MODERATE), Outcome::detection),
            mean(wide.get(0.0), Outcome::detection) - POINT));
    lab.claim(
        "A randomly pruned net is no less robust than the dense net",
        "adversarial accuracy at least that of the dense net (figure 5)",
        Check.atLeast(
            "right under attack (%)",
            mean(wide.get(MODERATE), Outcome::robust),
            mean(wide.get(0.0), Outcome::robust) - POINT));
  }
}
