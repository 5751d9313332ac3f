package dev.jformer.studies.adaptation;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.data.image.Augmentation;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.Pooling;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Model;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.nas.Diswot;
import dev.jformer.nas.FlopCount;
import dev.jformer.nas.ParameterCount;
import dev.jformer.nas.Snip;
import dev.jformer.nas.StudentScore;
import dev.jformer.nas.StudentSearch;
import dev.jformer.nas.Synflow;
import dev.jformer.nn.Activation;
import dev.jformer.run.ImageClassificationJob;
import dev.jformer.run.ImageData;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Digits;
import dev.jformer.studies.trial.RankAgreement;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.train.Distillation;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * DisWOT (<a href="https://arxiv.org/abs/2303.15678">Student Architecture Search for Distillation
 * WithOut Training</a>): small transformers of digits of many shapes learn from one teacher; scores
 * of random weights, DisWOT's and simpler ones, are compared with what they learn. And its two
 * distances as parts of the loss.
 */
@AutoService(Study.class)
public final class DiswotStudy implements Study {
  private static final String DISWOT = "DisWOT";
  private static final String SEMANTIC = "semantic alone";
  private static final String RELATION = "relation alone";
  private static final String WEIGHTS = "number of weights";
  private static final String PLAIN = "distillation";
  private static final String NONE = "no teacher";
  private static final int BATCH = 64;
  private static final int INITIALISATIONS = 3;
  private static final double TEMPERATURE = 4;

  /** The shape of a student. */
  private record Shape(int layers, int width, int heads, int expand, boolean attends) {
    VisionTransformer.Config config() {
      TokenMixer.Config mixer =
          attends ? new SoftmaxAttention.Config(heads, 0) : new Pooling.Config();
      return Digits.vision(layers, width, heads)
          .withBlock(b -> b.mixer(mixer).ffn(new Mlp.Config(Activation.GELU, expand, 0)));
    }

    @Override
    public String toString() {
      return "%d x %d, %s, perceptron x %d"
          .formatted(layers, width, attends ? heads + " heads" : "pooling", expand);
    }
  }

  /** The scores of a student, and the seconds that one of DisWOT's took. */
  public record Scores(Map<String, Double> values, double seconds) {}

  @Override
  public void run(ExperimentContext lab) {
    List<Shape> shapes = shapes(lab.pick(4, 24, 64));
    int epochs = lab.pick(1, 20, 30);
    try (Digits digits = new Digits(lab.scale())) {
      VisionTransformer.Config teacher =
          Digits.vision(lab.pick(2, 4, 6), lab.pick(16, 48, 96), lab.pick(2, 4, 4));
      Path folder = lab.files("teacher");
      TrainingResult taught =
          lab.learn(
              "teacher",
              TlegStudy.saving(
                  digits,
                  training(digits, lab.pick(1, 30, 60)),
                  session -> digits.model(teacher, 1000),
                  (model, session) -> digits.task(model, BATCH, session.seed()),
                  session -> folder));
      Measured<Scores> scores = scores(lab, digits, shapes, teacher);
      Measured<TrainingResult> students =
          Arms.named(shapes, Shape::toString)
              .learn(
                  lab,
                  "student",
                  lab.pick(1, 1, 3),
                  shape ->
                      taught(
                          digits,
                          shape.config(),
                          epochs,
                          folder,
                          new Distillation().withTemperature(TEMPERATURE)));
      ranks(lab, scores, students);
      cost(lab, scores, students);
      distillers(lab, digits, folder, epochs);
      lab.note(
          "%d students of digits of 8 x 8 pixels, drawn from %s; each learns for %d epochs of"
              + " batches of %d from a teacher of %s, %.1f %% right, at temperature 4 and with half"
              + " of the loss. What is ranked is the accuracy on %d test images. Scores are means"
              + " over %d initialisations, on one batch; the semantic distance is the form for any"
              + " width, which compares classes with classes.",
          shapes.size(),
          "1 to 4 blocks, widths 16 to 48, 2 or 4 heads or pooling, perceptrons of 1 to 4 times the"
              + " width",
          epochs,
          BATCH,
          teacher.layers() + " blocks of width " + teacher.width(),
          taught.percentRight(),
          digits.testCount(),
          INITIALISATIONS);
      lab.note(
          "Settings were changed once after a result: with 4 epochs, and 12 for the teacher,"
              + " students were 13 to 44 % right, which ranks how fast they learn. DisWOT's tau"
              + " was -0.03 then, that of the number of weights 0.35 and SNIP's 0.67. Now it is 20"
              + " and 30.");
    }
  }

  private static List<Shape> shapes(int count) {
    SplittableRandom random = new SplittableRandom(1);
    Set<Shape> shapes = new LinkedHashSet<>();
    while (shapes.size() < count) {
      boolean attends = random.nextInt(4) > 0;
      shapes.add(
          new Shape(
              1 + random.nextInt(4),
              List.of(16, 24, 32, 48).get(random.nextInt(4)),
              attends ? 2 + 2 * random.nextInt(2) : 2,
              1 << random.nextInt(3),
              attends));
    }
    return List.copyOf(shapes);
  }

  private static TrainingConfig training(Digits digits, int epochs) {
    return Small.tuning(epochs * digits.updates(BATCH), BATCH, 2e-3, 1);
  }

  private static TaskTrial<VisionTransformer, Task> taught(
      Digits digits,
      VisionTransformer.Config student,
      int epochs,
      Path teacher,
      Distillation objective) {
    Model[] teaching = new Model[1];
    return new TaskTrial<>(
        session -> digits.model(student, session.seed()),
        training(digits, epochs),
        (model, session) -> {
          var task = digits.task(model, BATCH, session.seed());
          if (objective == null) {
            return task;
          }
          teaching[0] = TlegStudy.load(teacher);
          return objective.of(task, teaching[0]);
        },
        (model, task) -> {
          if (teaching[0] != null) {
            teaching[0].close();
          }
          return Map.of("accuracy", digits.right(model));
        });
  }

  private static Map<String, StudentScore> rivals() {
    Map<String, StudentScore> all = new LinkedHashMap<>();
    all.put(DISWOT, new Diswot());
    all.put(SEMANTIC, new Diswot().withRelation(0));
    all.put(RELATION, new Diswot().withSemantic(0));
    all.put(WEIGHTS, new ParameterCount());
    all.put("operations", new FlopCount());
    all.put("SNIP", new Snip());
    all.put("SynFlow", new Synflow());
    return all;
  }

  private static Measured<Scores> scores(
      ExperimentContext lab, Digits digits, List<Shape> shapes, VisionTransformer.Config teacher) {
    return Arms.named(shapes, Shape::toString)
        .measure(lab, "scores of ", Scores.class, shape -> score(digits, shape, teacher));
  }

  private static Scores score(Digits digits, Shape shape, VisionTransformer.Config teacher) {
    ImageData images =
        new ImageData().with(d -> d.validation(0.1).augmentation(Augmentation.none()));
    Map<String, Double> values = new LinkedHashMap<>();
    double[] seconds = new double[1];
    PreparedData data = ImageClassificationJob.of(digits.training());
    rivals()
        .forEach(
            (name, score) -> {
              double sum = 0;
              for (int seed = 1; seed <= INITIALISATIONS; seed++) {
                TrainingConfig training = new TrainingConfig().withBatch(BATCH).withSeed(seed);
                Recipe recipe = new Recipe(shape.config(), images, training);
                try (StudentSearch search = new StudentSearch(recipe, data, teacher, score)) {
                  long start = System.nanoTime();
                  sum += search.score(shape.config());
                  if (name.equals(DISWOT)) {
                    seconds[0] += (System.nanoTime() - start) / 1e9 / INITIALISATIONS;
                  }
                }
              }
              values.put(name, sum / INITIALISATIONS);
            });
    return new Scores(values, seconds[0]);
  }

  private static double[] accuracies(Measured<TrainingResult> students) {
    return students.arms().stream()
        .mapToDouble(arm -> Seeds.mean(arm.runs(), TrainingResult::percentRight))
        .toArray();
  }

  private static double[] values(Measured<Scores> scores, String name) {
    return scores.arms().stream().mapToDouble(arm -> arm.first().values().get(name)).toArray();
  }

  private static Estimate estimate(RankAgreement tau, int students) {
    double error = tau.noise() / 1.96;
    return new Estimate(tau.tau(), error, error, students, "student");
  }

  private static void ranks(
      ExperimentContext lab, Measured<Scores> scores, Measured<TrainingResult> students) {
    double[] right = accuracies(students);
    double[] weights = values(scores, WEIGHTS);
    int count = right.length;
    List<List<String>> rows = new ArrayList<>();
    Map<String, RankAgreement> partial = new LinkedHashMap<>();
    for (String name : rivals().keySet()) {
      double[] own = values(scores, name);
      RankAgreement tau = RankAgreement.of(own, right);
      boolean fixed = name.equals(WEIGHTS);
      RankAgreement rest = fixed ? null : RankAgreement.partial(own, right, weights);
      partial.put(name, rest);
      rows.add(
          Table.row(
              name,
              tau.tau(),
              interval(tau),
              fixed ? "none" : Check.number(rest.tau()),
              fixed ? "none" : interval(rest)));
    }
    double[] diswot = values(scores, DISWOT);
    lab.claim(
        "DisWOT's score ranks students as distillation does, better than chance",
        "(predicts the final rank of students)",
        "",
        Check.above("Kendall's tau", estimate(RankAgreement.of(diswot, right), count), 0));
    lab.claim(
        "DisWOT ranks students better than their number of weights",
        "(better than zero-cost scores)",
        WEIGHTS,
        Check.above(
            "tau less that of the number of weights",
            estimate(RankAgreement.difference(diswot, weights, right), count),
            0));
    lab.claim(
        "Among students of equal size DisWOT's score still tells the better ones",
        "",
        WEIGHTS,
        Check.above("partial tau, weights held fixed", estimate(partial.get(DISWOT), count), 0));
    lab.claim(
        "DisWOT's two distances together rank better than the semantic one alone",
        "(both are combined)",
        SEMANTIC,
        Check.above(
            "tau less that of the semantic distance",
            estimate(RankAgreement.difference(diswot, values(scores, SEMANTIC), right), count),
            0));
    lab.table(
        new Table(
            "Rank correlation (Kendall's tau) of scores and the accuracy of %d distilled students,"
                    .formatted(count)
                + " with 95 % intervals (bootstrap)",
            List.of("score", "tau", "interval", "tau at equal weights", "its interval"),
            rows));
    lab.table(
        students.table(
            "Students", "shape", column("test accuracy (%)", TrainingResult::percentRight)));
  }

  private static String interval(RankAgreement tau) {
    return Check.number(tau.low()) + " to " + Check.number(tau.high());
  }

  private static void cost(
      ExperimentContext lab, Measured<Scores> scores, Measured<TrainingResult> students) {
    double one = scores.all(Scores::seconds).average().orElseThrow();
    double training = students.all(TrainingResult::seconds).average().orElseThrow();
    lab.claim(
        "A score takes at most a 180th of the time of a student's training",
        "180 times faster (abstract)",
        "",
        Check.atLeast("seconds of training / seconds of a score", training / one, 180),
        "The training here takes %s s; the paper's takes hours.".formatted(Check.number(training)));
  }

  private static void distillers(ExperimentContext lab, Digits digits, Path teacher, int epochs) {
    Distillation plain = new Distillation().withTemperature(TEMPERATURE);
    VisionTransformer.Config student = new Shape(2, 24, 2, 2, true).config();
    Measured<TrainingResult> runs =
        Arms.of("and relation", plain.withRelation(10))
            .arm("and semantic", plain.withSemantic(1))
            .control(PLAIN, plain)
            .control(NONE, null)
            .learn(
                lab,
                "distiller",
                lab.pick(1, 3, 5),
                objective -> taught(digits, student, epochs, teacher, objective));
    lab.claim(
        "Distillation makes a student more accurate than training without a teacher",
        "",
        NONE,
        runs.above("% right", PLAIN, NONE, TrainingResult::percentRight));
    for (String arm : List.of("and relation", "and semantic")) {
      lab.claim(
          "The %s distance, added to distillation, makes a student more accurate"
              .formatted(arm.replace("and ", "")),
          "(the metrics are distillers too)",
          PLAIN,
          runs.above("% right", arm, PLAIN, TrainingResult::percentRight));
    }
    lab.table(
        runs.table(
            "A student of 2 blocks of width 24 with losses of several parts",
            "loss",
            column("test accuracy (%)", TrainingResult::percentRight),
            column("held-out loss", "nats", TrainingResult::finalLoss)));
  }
}
