package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.compress.Compression;
import dev.jformer.compress.prune.RandomPruning;
import dev.jformer.compress.prune.RandomPruning.Ratios;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.metrics.CalibrationError;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.metrics.RankCorrelation;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.model.vision.VisionTransformer;
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
import dev.jformer.studies.trial.Pictures;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Subject;
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
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/**
 * Random pruning at initialisation (arXiv 2202.02643): vision transformers whose weights are left
 * out by chance before they learn to classify CIFAR-10, of several widths, densities and rules for
 * the layers' shares; what they get right, how well they know it, and how they take other images.
 */
@AutoService(Study.class)
public final class RandomPruningStudy implements Study {
  private static final double MODERATE = 0.5;
  private static final double HIGH = 0.8;

  private static final List<Double> SPARSITIES = List.of(0.0, MODERATE, HIGH);

  /** So many points are no difference. */
  private static final double POINT = 1;

  /** By so much of 0 to 1 a pixel is changed in an attack. */
  private static final double ATTACK = 2.0 / 255;

  /**
   * What differs between models.
   *
   * @param sparsity share of the weights that is left out; 0 for the dense net
   * @param ratios the rule for the layers' shares
   */
  private record Setting(int width, double sparsity, Ratios ratios) {
    String arm() {
      String what = sparsity == 0 ? "dense" : Check.number(sparsity) + " left out by " + ratios;
      return "width " + width + ", " + what;
    }
  }

  /**
   * A trained model.
   *
   * @param sparsity share of the weights that was left out
   * @param accuracy share of test images that are right
   * @param calibration expected calibration error
   * @param detection share of pairs of a test image and one of no class in which the model is surer
   *     of the former (AUROC)
   * @param robust share of test images that are right after an attack along the gradient's sign
   * @param weights number of weights
   */
  private record Outcome(
      double sparsity,
      double accuracy,
      double calibration,
      double detection,
      double robust,
      long weights) {}

  @Override
  public void run(ExperimentContext lab) {
    Scale scale = lab.scale();
    List<Integer> widths =
        scale.pick(List.of(8), List.of(12, 24, 48, 96), List.of(96, 192, 384, 768));
    List<String> byWidth = new ArrayList<>();
    List<String> byRatios = new ArrayList<>();
    Map<String, Setting> arms = new LinkedHashMap<>();
    for (int width : widths) {
      for (double sparsity : SPARSITIES) {
        add(new Setting(width, sparsity, Ratios.ERK), arms, byWidth);
      }
    }
    for (Ratios ratios : Ratios.values()) {
      add(rule(scale, ratios), arms, byRatios);
    }
    try (Pictures pictures = new Pictures(scale);
        ImageFile training = pictures.training();
        ImageFile test = pictures.test();
        ImageFile others = pictures.others()) {
      Images images = new Images(training, test, others);
      Measured<Outcome> nets =
          Arms.of(arms)
              .learn(
                  lab,
                  "",
                  scale.pick(1, 2, 3),
                  setting -> Trial.of(Outcome.class, run -> learned(scale, images, setting, run)));
      report(lab, nets.only(byWidth), nets.only(byRatios), widths);
      claims(lab, nets, widths);
    }
  }

  /** A setting in which rules are compared. */
  private static Setting rule(Scale scale, Ratios ratios) {
    return new Setting(scale.pick(8, 48, 384), HIGH, ratios);
  }

  private static void add(Setting setting, Map<String, Setting> arms, List<String> names) {
    arms.put(setting.arm(), setting);
    names.add(setting.arm());
  }

  // ---- Training

  /** Images to learn from, others of their classes, and others of no class. */
  private record Images(ImageFile training, ImageFile test, ImageFile others) {}

  private static Outcome learned(
      Scale scale, Images images, Setting setting, Trial.Session session) {
    long seed = session.seed();
    int batch = scale.pick(4, 64, 128);
    ImageSampler sampler =
        new ImageSampler(images.training(), 0.05, new Augmentation(), batch, seed);
    Random.seed(seed);
    try (ImageModel dense = config(scale, setting.width(), images.training()).build()) {
      try (Scope scope = Scope.open()) {
        Tensor[] channels = sampler.channels();
        dense.standardise(channels[0], channels[1]);
      }
      List<Compression> methods =
          setting.sparsity() == 0
              ? List.of()
              : List.of(new RandomPruning(setting.sparsity(), setting.ratios(), seed));
      int steps = scale.pick(2, 300, 30_000);
      // One evaluation in the end is enough.
      TrainingConfig training = Small.training(steps, batch, seed).withSteps(steps, 1);
      return Subject.images(dense, sampler, 0, 1, sampler)
          .compressed(
              methods,
              made -> {
                ImageModel model = (ImageModel) made;
                ImageClassification task = new ImageClassification(model, sampler, 0);
                try (Mode mode = Autograd.enableGrad()) {
                  TrainingCurve.of(model, task, training, done -> session.progress().at(done, ""));
                }
                model.train(false);
                return judged(scale, setting, model, images);
              });
    }
  }

  private static ImageModel.Config config(Scale scale, int width, ImageFile images) {
    return new VisionTransformer.Config()
        .with(c -> c.patch(8).stem(VisionTransformer.Stem.CONVOLUTIONAL))
        .withStack(s -> s.layers(scale.pick(3, 4, 12)).width(width))
        .withBlock(b -> b.mixer(new SoftmaxAttention.Config(scale.pick(2, 4, 6), 0)))
        .withClasses(images.header().classes().size());
  }

  // ---- Judging

  private static Outcome judged(Scale scale, Setting setting, ImageModel model, Images images) {
    ClassificationScores scores = new ClassificationScores();
    CalibrationError calibration = new CalibrationError();
    DoubleStream.Builder known = DoubleStream.builder();
    DoubleStream.Builder unknown = DoubleStream.builder();
    long[] attacked = new long[2];
    try (Mode mode = Autograd.noGrad()) {
      ImageSampler.all(
          images.test(),
          (pixels, labels) -> {
            Tensor logits = model.logits(pixels);
            scores.add(logits, labels);
            calibration.add(logits, labels);
            addSureness(logits, known);
            if (attacked[1] < scale.pick(8, 1000, 5000)) {
              attacked[0] += rightUnderAttack(model, pixels, labels);
              attacked[1] += labels.elements();
            }
          });
      ImageSampler.all(
          images.others(), (pixels, labels) -> addSureness(model.logits(pixels), unknown));
    }
    return new Outcome(
        setting.sparsity(),
        scores.accuracy(),
        calibration.error(),
        RankCorrelation.auroc(known.build().toArray(), unknown.build().toArray()),
        (double) attacked[0] / attacked[1],
        model.parameterCount());
  }

  /** Adds the highest probability of each image. */
  private static void addSureness(Tensor logits, DoubleStream.Builder all) {
    Arrays.stream(logits.softmax(1).max(1, false).toDoubles()).forEach(all);
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

  // ---- Report

  private static void report(
      ExperimentContext lab,
      Measured<Outcome> byWidth,
      Measured<Outcome> byRatios,
      List<Integer> widths) {
    List<Column<Outcome>> columns =
        List.of(
            fixed("left out (%)", o -> 100 * o.sparsity()),
            column("right (%)", percent(Outcome::accuracy)),
            column("calibration error (%)", percent(Outcome::calibration)),
            column("other images told (AUROC, %)", percent(Outcome::detection)),
            column("right under attack (%)", percent(Outcome::robust)),
            fixed("weights", Outcome::weights));
    lab.table(byWidth.table("Widths; left out by ERK", "net", columns));
    lab.table(byRatios.table("Rules for the layers' shares", "net", columns));
    List<Figure.Series> series = new ArrayList<>();
    for (double sparsity : SPARSITIES) {
      series.add(
          Figure.Series.line(
              sparsity == 0 ? "dense" : Check.number(100 * sparsity) + " % left out",
              widths.stream().map(Integer::doubleValue).toList(),
              widths.stream()
                  .map(width -> byWidth.of(erk(width, sparsity), percent(Outcome::accuracy)))
                  .map(Estimate::value)
                  .toList()));
    }
    lab.figure(new Figure("Test images that are right", "width", "right (%)", true, false, series));
    lab.note(
        "Vision transformers of 4 blocks and a convolutional stem on 20,000 images of CIFAR-10,"
            + " patches of 8 x 8, 300 updates of 64 images, two seeds. Left out are weights of the"
            + " linear layers in the blocks; the stem, with the only kernels, and the head stay"
            + " whole, so that ERK is ER here. Other images are handwritten characters of"
            + " Omniglot; an attack changes pixels by 2/255 along the gradient's sign.");
  }

  private static ToDoubleFunction<Outcome> percent(ToDoubleFunction<Outcome> share) {
    return outcome -> 100 * share.applyAsDouble(outcome);
  }

  private static String erk(int width, double sparsity) {
    return new Setting(width, sparsity, Ratios.ERK).arm();
  }

  private static void claims(ExperimentContext lab, Measured<Outcome> nets, List<Integer> widths) {
    int narrow = widths.get(0);
    int wide = widths.get(widths.size() - 1);
    lab.claim(
        "What random pruning costs shrinks as the net gets wider",
        "gaps close from ResNet-20 of width 1/4 to the full one, and with depth (figure 2)",
        Check.below(
            "points lost at the largest width and high sparsity, against the smallest",
            pointsLost(nets, wide),
            pointsLost(nets, narrow)));
    String pruned = erk(wide, MODERATE);
    String dense = erk(wide, 0);
    lab.claim(
        "In the widest net nothing is lost at moderate sparsity",
        "random pruning matches the dense net once it is wide and deep enough",
        dense,
        noLess("right (%)", nets, pruned, dense, Outcome::accuracy));
    lab.claim(
        "ERK is at least as good as equal shares",
        "ERK above uniform, most at high sparsity (figure 3)",
        rule(lab.scale(), Ratios.UNIFORM).arm(),
        nets.atLeast(
            "right by ERK (%)",
            rule(lab.scale(), Ratios.ERK).arm(),
            rule(lab.scale(), Ratios.UNIFORM).arm(),
            percent(Outcome::accuracy)));
    lab.claim(
        "A randomly pruned net is calibrated no worse than the dense net",
        "lower ECE in most settings (figure 5)",
        dense,
        Check.atMost(
            "calibration error (%)",
            nets.of(pruned, percent(Outcome::calibration)),
            nets.of(dense, percent(Outcome::calibration)).plus(POINT)));
    lab.claim(
        "A randomly pruned net tells other images no worse than the dense net",
        "higher AUROC in most settings (figure 5)",
        dense,
        noLess("AUROC (%)", nets, pruned, dense, Outcome::detection));
    lab.claim(
        "A randomly pruned net is no less robust than the dense net",
        "adversarial accuracy at least that of the dense net (figure 5)",
        dense,
        noLess("right under attack (%)", nets, pruned, dense, Outcome::robust));
  }

  private static Estimate pointsLost(Measured<Outcome> nets, int width) {
    return nets.beside(
        erk(width, 0),
        erk(width, HIGH),
        (dense, high) -> 100 * (dense.accuracy() - high.accuracy()));
  }

  /** Checks that a share is at most a point below that of the dense net. */
  private static Check noLess(
      String name,
      Measured<Outcome> nets,
      String pruned,
      String dense,
      ToDoubleFunction<Outcome> share) {
    return Check.atLeast(
        name, nets.of(pruned, percent(share)), nets.of(dense, percent(share)).plus(-POINT));
  }
}
