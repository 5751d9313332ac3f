package dev.jformer.studies.adaptation;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.hub.Models;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.nn.ForwardHook;
import dev.jformer.nn.Parameter;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Digits;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Classifying;
import dev.jformer.train.LinearPath;
import dev.jformer.train.LinearProbe;
import dev.jformer.train.NearestNeighbours;
import dev.jformer.train.Passes;
import dev.jformer.train.RandomTeacher;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * <a href="https://arxiv.org/abs/2302.12091">Random Teachers are Good Teachers</a>: vision
 * transformers learn the outputs of frozen copies of their own random start, from digits or from
 * noise, and probes tell how much better their features have become. Then students and teachers are
 * trained with labels, twice each, and the line between both trainings is measured.
 */
@AutoService(Study.class)
public final class RandomTeachersStudy implements Study {
  private static final int BATCH = 64;
  private static final double NEAR = 0.01;
  private static final String NOISE = "noise";
  private static final String STUDENT = "student";
  private static final String TEACHER = "teacher";

  /** How far a student begins from its teacher, and whether it sees noise. */
  private record Arm(double alpha, boolean noise) {}

  /**
   * What probes say of a teacher and of its student.
   *
   * @param before test accuracy of a linear probe of the teacher, in percent
   * @param after that of the student
   * @param nearBefore that of the teacher's nearest neighbours
   * @param nearAfter that of the student's
   * @param losses of the student, at equal intervals
   */
  public record Probed(
      double before, double after, double nearBefore, double nearAfter, List<Double> losses) {
    double gain() {
      return after - before;
    }

    double nearGain() {
      return nearAfter - nearBefore;
    }
  }

  /**
   * Two trainings from one start.
   *
   * @param errors test errors on the line between them, in percent
   * @param accuracy mean test accuracy of both, in percent
   */
  public record Connected(List<Double> errors, double accuracy) {
    double barrier() {
      return new LinearPath(errors).barrier();
    }
  }

  private record Size(int layers, int width, int heads, int outputs) {}

  @Override
  public void run(ExperimentContext lab) {
    Size size =
        lab.pick(new Size(1, 16, 2, 16), new Size(3, 48, 4, 256), new Size(6, 128, 8, 4096));
    int epochs = lab.pick(1, 8, 100);
    int seeds = lab.pick(1, 3, 5);
    try (Digits digits = new Digits(lab.scale())) {
      Arms<Arm> arms = Arms.of(name(0), new Arm(0, false)).arm(name(NEAR), new Arm(NEAR, false));
      for (double alpha : lab.pick(List.of(1.0), List.of(0.1, 1.0), List.of(0.1, 0.5, 1.0))) {
        arms = arms.arm(name(alpha), new Arm(alpha, false));
      }
      Measured<Probed> probed =
          arms.control(NOISE, new Arm(NEAR, true))
              .learn(
                  lab,
                  "self-distillation",
                  seeds,
                  arm ->
                      Trial.of(
                          Probed.class,
                          session -> probed(lab, digits, size, arm, epochs, session)));
      Measured<Connected> connected = connected(lab, digits, size, seeds);
      report(lab, probed, connected);
      lab.note(
          "Digits of 8 x 8 pixels; a transformer of %d blocks of width %d with %d outputs, batches"
              + " of %d, AdamW at 1e-3 without decay, %d epochs without augmentation, temperature"
              + " 1. The student begins at (1 - α) teacher + α fresh, divided by √(2α² - 2α + 1)."
              + " Probes are on the input of the output layer: logistic regression with a weak"
              + " penalty, and 20 nearest neighbours, learned from the training images and asked of"
              + " %d test images.",
          size.layers(), size.width(), size.outputs(), BATCH, epochs, digits.testCount());
      lab.note(
          "These transformers have layer normalisation, so a student at α = 0 computes what its"
              + " teacher computes and has no gradient but rounding errors; the paper's networks"
              + " have batch normalisation, which differs between training and inference.");
    }
  }

  private static String name(double alpha) {
    return "α = " + Check.sentence("%s", alpha);
  }

  private static VisionTransformer start(Digits digits, Size size, long seed) {
    return digits.model(
        Digits.vision(size.layers(), size.width(), size.heads()).withClasses(size.outputs()), seed);
  }

  private static TrainingConfig training(Digits digits, int epochs, long seed) {
    return Small.training(epochs * digits.updates(BATCH), BATCH, seed)
        .with(t -> t.optimizer(new AdamW.Config().withWeightDecay(0)));
  }

  private static Path file(ExperimentContext lab, long seed) {
    return lab.files("student-" + seed);
  }

  private static Probed probed(
      ExperimentContext lab, Digits digits, Size size, Arm arm, int epochs, Trial.Session session) {
    long seed = session.seed();
    try (VisionTransformer teacher = start(digits, size, seed);
        VisionTransformer student = start(digits, size, seed)) {
      teacher.train(false);
      RandomTeacher objective = new RandomTeacher().withAlpha(arm.alpha());
      Random.seed(1000 + seed);
      objective.depart(student);
      Unlabelled task = new Unlabelled(digits, student, teacher, arm.noise(), seed);
      TrainingCurve course =
          TrainingCurve.of(
              student,
              objective.of(task, teacher),
              training(digits, epochs, seed),
              done -> session.progress().at(done, ""));
      if (arm.alpha() == NEAR && !arm.noise()) {
        save(student, file(lab, seed));
      }
      Features before = Features.of(teacher, digits);
      Features after = Features.of(student, digits);
      return new Probed(
          before.linear(), after.linear(), before.near(), after.near(), course.losses());
    }
  }

  private static void save(Model model, Path folder) {
    try {
      Models.save(model, folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save a student in " + folder, e);
    }
  }

  /** Digits, or noise of the same mean and deviation, without labels. */
  private static final class Unlabelled implements Classifying {
    private final ImageSampler sampler;
    private final ImageModel model;
    private final ImageModel teacher;
    private final boolean noise;
    private final Tensor mean;
    private final Tensor deviation;
    private final long seed;

    Unlabelled(Digits digits, ImageModel model, ImageModel teacher, boolean noise, long seed) {
      this.sampler = digits.sampler(BATCH, seed);
      this.model = model;
      this.teacher = teacher;
      this.noise = noise;
      this.seed = seed;
      Tensor[] channels = sampler.channels();
      this.mean = channels[0].view(1, ImageModel.CHANNELS, 1, 1).keep();
      this.deviation = channels[1].view(1, ImageModel.CHANNELS, 1, 1).keep();
    }

    private Tensor images(long index) {
      Tensor images = sampler.batch(index).images();
      if (!noise) {
        return images;
      }
      Tensor random = Random.state();
      Random.seed(seed * 1_000_003 + index);
      Tensor drawn = Tensor.randn(images.shape().toArray());
      Random.restore(random);
      return drawn.mul(deviation).add(mean);
    }

    @Override
    public Passes<ImageModel> passes(long index) {
      Tensor images = images(index);
      return new Passes<>(
          ImageModel.class,
          model,
          any -> any.logits(images),
          logits -> {
            throw new UnsupportedOperationException("there are no labels");
          });
    }

    @Override
    public long unitsPerBatch() {
      return BATCH;
    }

    @Override
    public String unit() {
      return "images";
    }

    /** The cross-entropy of teacher and student on a batch. */
    @Override
    public Metrics evaluate() {
      Tensor images = images(0);
      Tensor taught = teacher.logits(images).softmax(1);
      double loss = -taught.mul(model.logits(images).logSoftmax(1)).sum().item() / images.size(0);
      return Metrics.ofLoss(loss, "nats");
    }
  }

  /** Inputs of the output layer for all images. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Features(Tensor known, int[] labels, Tensor asked, int[] right) {
    static Features of(ImageModel model, Digits digits) {
      model.train(false);
      return new Features(
          features(model, digits.training()),
          labels(digits.training()),
          features(model, digits.test()),
          labels(digits.test()));
    }

    private static int[] labels(ImageFile file) {
      return file.header().labels().stream().mapToInt(label -> label).toArray();
    }

    private static Tensor features(ImageModel model, ImageFile file) {
      List<Tensor> parts = new ArrayList<>();
      try (Mode mode = Autograd.noGrad();
          ForwardHook hook =
              ForwardHook.on(
                  model, "head"::equals, seen -> parts.add(seen.input().copy().keep()))) {
        ImageSampler.all(file, (images, labels) -> model.logits(images));
      }
      Tensor all = Tensor.cat(0, parts.toArray(Tensor[]::new));
      parts.forEach(Tensor::close);
      return all;
    }

    double linear() {
      return 100 * new LinearProbe().accuracy(known, labels, asked, right);
    }

    double near() {
      int k = Math.min(20, labels.length);
      return 100 * new NearestNeighbours(k).accuracy(known, labels, asked, right);
    }
  }

  private static Measured<Connected> connected(
      ExperimentContext lab, Digits digits, Size size, int seeds) {
    int epochs = lab.pick(1, 4, 20);
    return Arms.of("from the " + STUDENT, STUDENT)
        .control("from the " + TEACHER, TEACHER)
        .learn(
            lab,
            "two trainings",
            seeds,
            start ->
                Trial.of(
                    Connected.class,
                    session -> {
                      boolean student = start.equals(STUDENT);
                      try (Scope scope = Scope.open();
                          Model begin =
                              student
                                  ? TlegStudy.load(file(lab, session.seed()))
                                  : start(digits, size, session.seed())) {
                        return twice(digits, size, begin, epochs, session);
                      }
                    }));
  }

  private static Connected twice(
      Digits digits, Size size, Model begin, int epochs, Trial.Session session) {
    try (VisionTransformer one = labelled(digits, size, begin, session.seed());
        VisionTransformer other = labelled(digits, size, begin, session.seed())) {
      double right = 0;
      for (VisionTransformer model : List.of(one, other)) {
        long order = 10 * session.seed() + (model == one ? 1 : 2);
        TrainingConfig training = Small.tuning(epochs * digits.updates(BATCH), BATCH, 1e-3, order);
        TrainingCurve.of(
            model,
            digits.task(model, BATCH, order),
            training,
            done -> session.progress().at(done / 2 + (model == one ? 0 : 0.5), ""));
        model.train(false);
        right += 50 * digits.right(model);
      }
      LinearPath path =
          LinearPath.of(one, other, 11, m -> 100 - 100 * digits.right((ImageModel) m));
      return new Connected(path.values(), right);
    }
  }

  /** A classifier of digits with the weights of another model but for its output layer. */
  private static VisionTransformer labelled(Digits digits, Size size, Model begin, long seed) {
    VisionTransformer model =
        digits.model(Digits.vision(size.layers(), size.width(), size.heads()), 5000 + seed);
    Map<String, Parameter> known = begin.parameters();
    model
        .parameters()
        .forEach(
            (name, parameter) -> {
              if (!name.startsWith("head.")) {
                parameter.copyFrom(known.get(name).value().detach());
              }
            });
    return model;
  }

  private static void report(
      ExperimentContext lab, Measured<Probed> probed, Measured<Connected> connected) {
    String near = name(NEAR);
    lab.claim(
        "A linear probe of a student near its random teacher is more accurate than one of the"
            + " teacher",
        "35.5 to 46.0 % for ResNet-18 on CIFAR-10",
        NOISE,
        Check.above("gain in % of test images", probed.of(near, Probed::gain), 0));
    lab.claim(
        "Nearest neighbours by a student's features are right more often than by its teacher's",
        "(k = 20)",
        NOISE,
        Check.above("gain in % of test images", probed.of(near, Probed::nearGain), 0));
    lab.claim(
        "A student that sees noise gains less than one that sees digits",
        "no gain on noise",
        NOISE,
        probed.below("gain in % of test images", NOISE, near, Probed::gain));
    lab.claim(
        "A student that begins near its teacher gains more than one that begins anywhere",
        "gains shrink with the distance",
        name(1),
        probed.above("gain in % of test images", near, name(1), Probed::gain));
    lab.claim(
        "Two trainings from a student are separated by a lower barrier than two from its teacher",
        "(students are in a valley)",
        "from the " + TEACHER,
        connected.below(
            "barrier in % of errors",
            "from the " + STUDENT, "from the " + TEACHER, Connected::barrier));
    lab.table(
        probed.table(
            "Probes of teachers and students",
            "student",
            column("teacher, linear (%)", Probed::before),
            column("student, linear (%)", Probed::after),
            column("gain, linear", Probed::gain),
            column("teacher, neighbours (%)", Probed::nearBefore),
            column("student, neighbours (%)", Probed::nearAfter),
            column("loss, first", run -> run.losses().get(0)),
            column("loss, last", run -> run.losses().get(run.losses().size() - 1))));
    lab.table(
        connected.table(
            "Two trainings with labels from one start",
            "start",
            column("test accuracy (%)", Connected::accuracy),
            column("barrier in errors", "%", Connected::barrier)));
    List<Figure.Series> lines = new ArrayList<>();
    Map<String, List<Double>> means = new LinkedHashMap<>();
    connected
        .arms()
        .forEach(
            arm -> {
              List<Double> mean = new ArrayList<>();
              for (int i = 0; i < arm.first().errors().size(); i++) {
                int point = i;
                Estimate each = arm.of(run -> run.errors().get(point));
                mean.add(each.value());
              }
              means.put(arm.name(), mean);
            });
    means.forEach((name, mean) -> lines.add(Figure.Series.spaced(name, 0, 0.1, mean)));
    lab.figure(
        Figure.of(
            "Test errors on the line between two trainings, mean over the seeds",
            "place on the line",
            "% wrong",
            lines));
  }
}
