package dev.jformer.studies.adaptation;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.compress.LinearExpansion;
import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.nn.Parameter;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Digits;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.train.Classifying;
import dev.jformer.train.DepthLines;
import dev.jformer.train.Distillation;
import dev.jformer.train.LearngeneOptimizer;
import dev.jformer.train.Optimizer;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * TLEG (<a href="https://arxiv.org/abs/2312.05614">Transformer as Linear Expansion of
 * Learngene</a>): a vision transformer of digits whose blocks lie on a line learns from a teacher;
 * models of five depths are expanded from it and trained for as many epochs as models of random
 * weights, and as models that take over everything but the blocks.
 */
@AutoService(Study.class)
public final class TlegStudy implements Study {
  private static final String EXPANDED = "expanded";
  private static final String SHARED = "all but the blocks";
  private static final String SCRATCH = "random";
  private static final int BATCH = 64;

  /** Where a model begins, and for how long it is trained. */
  private record Start(String name, int epochs) {}

  /** A size of models: their width and the depth of the one that holds the learngene. */
  private record Size(int width, int heads, int depth) {}

  @Override
  public void run(ExperimentContext lab) {
    Size size = lab.pick(new Size(16, 2, 4), new Size(32, 4, 6), new Size(96, 4, 12));
    List<Integer> depths =
        lab.pick(List.of(2, 3), List.of(3, 4, 5, 6, 8), List.of(3, 4, 5, 6, 8, 12));
    int first = lab.pick(1, 10, 100);
    int second = lab.pick(1, 3, 10);
    int seeds = lab.pick(1, 3, 5);
    try (Digits digits = new Digits(lab.scale())) {
      Path teacher = lab.files("teacher");
      Measured<TrainingResult> taught = before(lab, digits, size, teacher, first, seeds);
      Map<Integer, Measured<TrainingResult>> runs = new LinkedHashMap<>();
      for (int depth : depths) {
        runs.put(depth, descendants(lab, digits, size, depth, second, seeds));
      }
      quality(lab, runs);
      storage(lab, size, depths);
      tables(lab, taught, runs, second);
      lab.note(
          "Digits of 8 x 8 pixels, patches of 2 x 2, width %d; batches of %d, AdamW with a peak"
              + " rate of 2e-3, warm-up and cosine decay, no augmentation. The teacher, of %d"
              + " blocks, learns for %d epochs; the learngene, as deep, learns from its"
              + " probabilities alone (temperature 1) for as many. Each seed has a learngene of its"
              + " own. The accuracy is that on %,d test images by other writers.",
          size.width(), BATCH, size.depth(), first, digits.testCount());
    }
  }

  private static TrainingConfig training(Digits digits, int epochs, Optimizer.Config optimizer) {
    return Small.tuning(epochs * digits.updates(BATCH), BATCH, 2e-3, 1)
        .with(t -> t.optimizer(optimizer));
  }

  private static TrainingConfig training(Digits digits, int epochs) {
    return training(digits, epochs, new TrainingConfig().optimizer());
  }

  /** Trains the teacher, and a learngene with each seed; saves them. */
  private static Measured<TrainingResult> before(
      ExperimentContext lab, Digits digits, Size size, Path teacher, int epochs, int seeds) {
    VisionTransformer.Config config = Digits.vision(size.depth(), size.width(), size.heads());
    TrainingResult first =
        lab.learn(
            "teacher",
            saving(
                digits,
                training(digits, epochs),
                session -> digits.model(config, 1000),
                (model, session) -> digits.task(model, BATCH, session.seed()),
                session -> teacher));
    List<TrainingResult> genes =
        lab.learn(
            "learngene",
            Trial.of(
                TrainingResult.class,
                session -> {
                  try (Model teaching = load(teacher)) {
                    return saving(
                            digits,
                            training(digits, epochs, new LearngeneOptimizer.Config()),
                            each -> digits.model(config, each.seed()),
                            (model, each) ->
                                distilled(digits.task(model, BATCH, each.seed()), teaching),
                            each -> lab.files("learngene-" + each.seed()))
                        .run(session);
                  }
                }),
            seeds);
    Map<String, List<TrainingResult>> all = new LinkedHashMap<>();
    all.put("teacher", List.of(first));
    all.put("learngene", genes);
    return Measured.ofRuns(all);
  }

  private static Task distilled(Classifying task, Model teacher) {
    return new Distillation().with(d -> d.share(1).temperature(1)).of(task, teacher);
  }

  /** A trial that saves its model. */
  static Trial<TrainingResult> saving(
      Digits digits,
      TrainingConfig training,
      Function<Trial.Session, VisionTransformer> model,
      BiFunction<VisionTransformer, Trial.Session, Task> task,
      Function<Trial.Session, Path> place) {
    TaskTrial<VisionTransformer, Task> trial = new TaskTrial<>(model, training, task);
    return Trial.of(
        TrainingResult.class,
        session ->
            trial.examine(
                session,
                (built, learned, result) -> {
                  save(built, place.apply(session));
                  return result.with("accuracy", digits.right(built));
                }));
  }

  private static void save(Model model, Path folder) {
    try {
      Models.save(model, folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save a model in " + folder, e);
    }
  }

  static ImageModel load(Path folder) {
    try {
      Model model = Models.load(folder);
      model.train(false);
      return (ImageModel) model;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the model in " + folder, e);
    }
  }

  private static Measured<TrainingResult> descendants(
      ExperimentContext lab, Digits digits, Size size, int depth, int epochs, int seeds) {
    return Arms.of(EXPANDED, new Start(EXPANDED, epochs))
        .control(SHARED, new Start(SHARED, epochs))
        .control(SCRATCH, new Start(SCRATCH, epochs))
        .learn(
            lab,
            depth + " blocks",
            seeds,
            start ->
                new TaskTrial<VisionTransformer, Task>(
                    session -> start(lab, digits, size, depth, start.name(), session.seed()),
                    training(digits, start.epochs()),
                    (model, session) -> digits.task(model, BATCH, session.seed()),
                    (model, task) -> Map.of("accuracy", digits.right(model))));
  }

  private static VisionTransformer start(
      ExperimentContext lab, Digits digits, Size size, int depth, String name, long seed) {
    VisionTransformer fresh = digits.model(Digits.vision(depth, size.width(), size.heads()), seed);
    if (name.equals(SCRATCH)) {
      return fresh;
    }
    try (Model gene = load(lab.files("learngene-" + seed));
        Model expanded = LinearExpansion.expand(gene, depth)) {
      Map<String, Parameter> known = expanded.parameters();
      fresh
          .parameters()
          .forEach(
              (weight, parameter) -> {
                if (name.equals(EXPANDED) || !DepthLines.isInBlock(weight)) {
                  parameter.copyFrom(known.get(weight).value().detach());
                }
              });
    }
    return fresh;
  }

  private static void quality(ExperimentContext lab, Map<Integer, Measured<TrainingResult>> runs) {
    lab.claim(
        "An expanded learngene is more accurate than random weights after as many epochs, at each"
            + " depth",
        "comparable or better than from scratch (abstract)",
        SCRATCH,
        everywhere(runs, SCRATCH));
    lab.claim(
        "Expanded blocks are worth more than all that is taken over beside them, at each depth",
        "",
        SHARED,
        everywhere(runs, SHARED));
  }

  private static Check everywhere(Map<Integer, Measured<TrainingResult>> runs, String other) {
    List<Check> checks = new ArrayList<>();
    runs.forEach(
        (depth, each) ->
            checks.add(
                each.above(
                    depth + " blocks, % right", EXPANDED, other, TrainingResult::percentRight)));
    return Check.all(checks);
  }

  /** The weights of the smallest expansion beside those of all models. */
  private static void storage(ExperimentContext lab, Size size, List<Integer> depths) {
    long all = depths.stream().mapToLong(depth -> weights(size, depth)).sum();
    double times = (double) all / weights(size, 2);
    lab.claim(
        "A learngene stores a family of models in a third of their weights",
        "19 times fewer (abstract)",
        Check.atLeast("weights of the family as a multiple of the learngene's", times, 3));
  }

  private static long weights(Size size, int depth) {
    try (Model model = Digits.vision(depth, size.width(), size.heads()).build()) {
      return model.parameterCount();
    }
  }

  private static void tables(
      ExperimentContext lab,
      Measured<TrainingResult> before,
      Map<Integer, Measured<TrainingResult>> runs,
      int epochs) {
    lab.table(
        before.table(
            "Before the expansion",
            "model",
            column("test accuracy (%)", TrainingResult::percentRight),
            fixed("weights", TrainingResult::parameters)));
    Measured<TrainingResult> all = null;
    for (Map.Entry<Integer, Measured<TrainingResult>> each : runs.entrySet()) {
      Map<String, List<TrainingResult>> named = new LinkedHashMap<>();
      each.getValue()
          .arms()
          .forEach(arm -> named.put(each.getKey() + " blocks, " + arm.name(), arm.runs()));
      Measured<TrainingResult> one = Measured.ofRuns(named);
      all = all == null ? one : all.and(one);
    }
    lab.table(
        all.table(
            "Models of several depths after " + epochs + " epochs",
            "start",
            column("test accuracy (%)", TrainingResult::percentRight),
            column("held-out loss", "nats", TrainingResult::finalLoss)));
    List<Figure.Series> lines = new ArrayList<>();
    List<Double> depths = runs.keySet().stream().map(Integer::doubleValue).toList();
    for (String arm : List.of(EXPANDED, SHARED, SCRATCH)) {
      List<Double> right =
          runs.values().stream()
              .map(each -> each.of(arm, TrainingResult::percentRight).value())
              .toList();
      lines.add(Figure.Series.line(arm, depths, right));
    }
    lab.figure(
        Figure.of("Test accuracy by depth, mean over the seeds", "blocks", "% right", lines));
  }
}
