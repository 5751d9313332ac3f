package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.compress.prune.RandomPruning;
import dev.jformer.compress.prune.RandomPruning.Ratios;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.metrics.CalibrationError;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.metrics.NoveltyDetection;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Pictures;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Subject;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ImageClassification;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.Stream;

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

  /** What differs between models: nothing is left out of the dense net, of sparsity 0. */
  private record Setting(int width, double sparsity, Ratios ratios) {
    String arm() {
      String what = sparsity == 0 ? "dense" : Check.number(sparsity) + " left out by " + ratios;
      return "width " + width + ", " + what;
    }
  }

  /**
   * Percentages of a trained model: test images that are right, the expected calibration error,
   * pairs of a test image and one of no class in which the model is surer of the former (AUROC),
   * and test images that are right after an attack along the gradient's sign.
   */
  private record Outcome(
      Setting setting,
      double accuracy,
      double calibration,
      double detection,
      double robust,
      long weights) {}

  @Override
  public void run(ExperimentContext lab) {
    List<Integer> widths =
        lab.pick(List.of(8), List.of(12, 24, 48, 96), List.of(96, 192, 384, 768));
    List<Setting> settings = new ArrayList<>();
    for (int width : widths) {
      SPARSITIES.forEach(s -> settings.add(new Setting(width, s, Ratios.ERK)));
    }
    for (Ratios ratios : Ratios.values()) {
      settings.add(rule(lab, ratios));
    }
    try (Pictures pictures = new Pictures(lab.scale());
        ImageFile training = pictures.training();
        ImageFile test = pictures.test();
        ImageFile others = pictures.others()) {
      Images images = new Images(training, test, others);
      Measured<Outcome> nets =
          Arms.named(settings, Setting::arm)
              .learn(lab, lab.pick(1, 2, 3), setting -> trial(lab, images, setting));
      report(lab, nets);
      claims(lab, nets, widths);
    }
  }

  /** A setting in which rules are compared. */
  private static Setting rule(ExperimentContext lab, Ratios ratios) {
    return new Setting(lab.pick(8, 48, 384), HIGH, ratios);
  }

  /** Images to learn from, others of their classes, and others of no class. */
  private record Images(ImageFile training, ImageFile test, ImageFile others) {}

  private static Trial<Outcome> trial(ExperimentContext lab, Images images, Setting setting) {
    int batch = lab.pick(4, 64, 128);
    int steps = lab.pick(2, 300, 30_000);
    LongFunction<ImageSampler> sampler =
        seed -> new ImageSampler(images.training(), 0.05, new Augmentation(), batch, seed);
    return new TaskTrial<>(
            own -> untrained(lab, images, setting, sampler.apply(own.seed()), own.seed()),
            // One evaluation in the end is enough.
            Small.training(steps, batch, 1).withSteps(steps, 1),
            (model, own) -> new ImageClassification(model, sampler.apply(own.seed()), 0))
        .examined(Outcome.class, (model, task, result) -> judged(lab, setting, model, images));
  }

  private static ImageModel untrained(
      ExperimentContext lab, Images images, Setting setting, ImageSampler sampler, long seed) {
    ImageModel dense =
        new VisionTransformer.Config()
            .with(c -> c.patch(8).stem(VisionTransformer.Stem.CONVOLUTIONAL))
            .withStack(s -> s.layers(lab.pick(3, 4, 12)).width(setting.width()))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(lab.pick(2, 4, 6), 0)))
            .withClasses(images.training().header().classes().size())
            .build();
    try (Scope scope = Scope.open()) {
      Tensor[] channels = sampler.channels();
      dense.standardise(channels[0], channels[1]);
    }
    if (setting.sparsity() == 0) {
      return dense;
    }
    RandomPruning pruning = new RandomPruning(setting.sparsity(), setting.ratios(), seed);
    try (dense;
        Scope scope = Scope.open()) {
      return (ImageModel) pruning.apply(dense, Subject.images(dense, sampler, 0, 1, sampler));
    }
  }

  private static Outcome judged(
      ExperimentContext lab, Setting setting, ImageModel model, Images images) {
    int most = lab.pick(8, 1000, 5000);
    ClassificationScores scores = new ClassificationScores();
    ClassificationScores attacked = new ClassificationScores();
    CalibrationError calibration = new CalibrationError();
    NoveltyDetection detection = new NoveltyDetection();
    ImageSampler.all(
        images.test(),
        (pixels, labels) -> {
          Tensor logits = model.logits(pixels);
          scores.add(logits, labels);
          calibration.add(logits, labels);
          detection.addKnown(logits);
          if (attacked.count() < most) {
            attacked.add(model.logits(attacked(model, pixels, labels)), labels);
          }
        });
    ImageSampler.all(images.others(), (others, none) -> detection.addNovel(model.logits(others)));
    return new Outcome(
        setting,
        100 * scores.accuracy(),
        100 * calibration.error(),
        100 * detection.auroc(),
        100 * attacked.accuracy(),
        model.parameterCount());
  }

  /** The fast gradient sign method (arXiv 1412.6572). */
  private static Tensor attacked(ImageModel model, Tensor images, Tensor labels) {
    try (Mode mode = Autograd.enableGrad()) {
      Tensor input = images.copy().requiresGrad(true);
      Tensor loss = Functional.crossEntropy(model.logits(input), labels, -1, 0);
      Tensor gradient = Autograd.grad(loss, null, false, input).get(0);
      return images.add(gradient.detach().sign(), ATTACK).clamp(0, 1);
    }
  }

  private static void report(ExperimentContext lab, Measured<Outcome> nets) {
    Measured<Outcome> byWidth = nets.where(net -> net.setting().ratios() == Ratios.ERK);
    List<Column<Outcome>> columns =
        List.of(
            fixed("left out (%)", net -> 100 * net.setting().sparsity()),
            column("right (%)", Outcome::accuracy),
            column("calibration error (%)", Outcome::calibration),
            column("other images told (AUROC, %)", Outcome::detection),
            column("right under attack (%)", Outcome::robust),
            fixed("weights", Outcome::weights));
    lab.table(byWidth.table("Widths; left out by ERK", "net", columns));
    lab.table(
        nets.only(Stream.of(Ratios.values()).map(ratios -> rule(lab, ratios).arm()).toList())
            .table("Rules for the layers' shares", "net", columns));
    List<Figure.Series> curves = new ArrayList<>();
    for (double sparsity : SPARSITIES) {
      String name = sparsity == 0 ? "dense" : Check.number(100 * sparsity) + " % left out";
      curves.add(
          byWidth
              .where(net -> net.setting().sparsity() == sparsity)
              .line(name, net -> net.setting().width(), Outcome::accuracy));
    }
    lab.figure(Figure.of("Test images that are right", "width", "right (%)", curves).withLogX());
    lab.note(
        "Vision transformers of 4 blocks and a convolutional stem on 20,000 images of CIFAR-10,"
            + " patches of 8 x 8, 300 updates of 64 images, two seeds. Left out are weights of the"
            + " linear layers in the blocks; the stem, with the only kernels, and the head stay"
            + " whole, so that ERK is ER here. Other images are handwritten characters of"
            + " Omniglot; an attack changes pixels by 2/255 along the gradient's sign.");
  }

  private static String erk(int width, double sparsity) {
    return new Setting(width, sparsity, Ratios.ERK).arm();
  }

  private static void claims(ExperimentContext lab, Measured<Outcome> nets, List<Integer> widths) {
    int wide = widths.get(widths.size() - 1);
    String pruned = erk(wide, MODERATE);
    String dense = erk(wide, 0);
    lab.claim(
        "What random pruning costs shrinks as the net gets wider",
        "gaps close from ResNet-20 of width 1/4 to the full one, and with depth (figure 2)",
        Check.below(
            "points lost at the largest width and high sparsity, against the smallest",
            pointsLost(nets, wide),
            pointsLost(nets, widths.get(0))));
    lab.claim(
        "In the widest net nothing is lost at moderate sparsity",
        "random pruning matches the dense net once it is wide and deep enough",
        dense,
        nets.atLeast("right (%)", pruned, dense, Outcome::accuracy, POINT));
    String equal = rule(lab, Ratios.UNIFORM).arm();
    lab.claim(
        "ERK is at least as good as equal shares",
        "ERK above uniform, most at high sparsity (figure 3)",
        equal,
        nets.atLeast("right by ERK (%)", rule(lab, Ratios.ERK).arm(), equal, Outcome::accuracy));
    lab.claim(
        "A randomly pruned net is calibrated no worse than the dense net",
        "lower ECE in most settings (figure 5)",
        dense,
        nets.atMost("calibration error (%)", pruned, dense, Outcome::calibration, POINT));
    lab.claim(
        "A randomly pruned net tells other images no worse than the dense net",
        "higher AUROC in most settings (figure 5)",
        dense,
        nets.atLeast("AUROC (%)", pruned, dense, Outcome::detection, POINT));
    lab.claim(
        "A randomly pruned net is no less robust than the dense net",
        "adversarial accuracy at least that of the dense net (figure 5)",
        dense,
        nets.atLeast("right under attack (%)", pruned, dense, Outcome::robust, POINT));
  }

  private static Estimate pointsLost(Measured<Outcome> nets, int width) {
    return nets.beside(
        erk(width, 0), erk(width, HIGH), (dense, high) -> dense.accuracy() - high.accuracy());
  }
}
