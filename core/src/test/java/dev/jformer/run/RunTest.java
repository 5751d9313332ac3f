package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import dev.jformer.train.DivergenceException;
import dev.jformer.train.Objective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunTest {
  private static final double ROUNDING = 5e-4;

  /** Losses of batches, and the primary metric of each evaluation. */
  private record Losses(List<Double> training, List<Double> evaluations) {}

  /** What the commands gave at these seeds when each kind of data had a loop of its own. */
  private static final Map<String, Losses> BEFORE =
      Map.ofEntries(
          Map.entry(
              "language",
              new Losses(
                  List.of(
                      5.63137, 5.49549, 5.26026, 5.01409, 4.76055, 4.53732, 4.30704, 4.15682,
                      4.06669, 3.95864, 3.90377, 3.86122),
                  List.of(4.75032, 4.01962, 3.82497))),
          Map.entry(
              "consistency",
              new Losses(
                  List.of(
                      11.26946, 10.98603, 10.50628, 10.00958, 9.50704, 9.0639, 8.60736, 8.31389,
                      8.12596, 7.91686, 7.80176, 7.72267),
                  List.of(4.74509, 4.01642, 3.8234))),
          Map.entry(
              "masked",
              new Losses(
                  List.of(
                      5.66354, 5.59261, 5.36536, 5.19496, 4.90765, 4.70055, 4.52087, 4.38394,
                      4.28039, 4.18779, 4.07596, 4.03229),
                  List.of(4.94125, 4.25472, 4.05907))),
          Map.entry(
              "classify",
              new Losses(
                  List.of(
                      0.69322, 0.64381, 0.80303, 0.71358, 0.66122, 0.69761, 0.68329, 0.6719,
                      0.70798, 0.75414, 0.69952, 0.68438),
                  List.of(0.68887, 0.71024, 0.68229))),
          Map.entry(
              "images",
              new Losses(
                  List.of(
                      0.7496, 0.6915, 0.56519, 0.50281, 0.47342, 0.40484, 0.37281, 0.29452, 0.29321,
                      0.28579, 0.25446, 0.27666),
                  List.of(0.35344, 0.18082, 0.14633))),
          Map.entry(
              "translate",
              new Losses(
                  List.of(
                      6.2952, 6.24787, 5.90466, 5.79488, 5.51762, 5.10766, 4.98897, 4.86018,
                      4.80989, 4.72391, 4.67359, 4.69361),
                  List.of(0.0, 0.21895, 0.21895))),
          Map.entry(
              "translate-loss",
              new Losses(
                  List.of(
                      6.2952, 6.24787, 5.90466, 5.79488, 5.51762, 5.10766, 4.98897, 4.86018,
                      4.80989, 4.72391, 4.67359, 4.69361),
                  List.of(5.35818, 4.67483, 4.5203))),
          Map.entry(
              "forecast",
              new Losses(
                  List.of(
                      1.51533, 1.59371, 0.79708, 0.63882, 0.56093, 0.52016, 0.45365, 0.2583,
                      0.19865, 0.27178, 0.22715, 0.24728),
                  List.of(0.57516, 0.23294, 0.184))),
          Map.entry(
              "language-from",
              new Losses(
                  List.of(
                      3.85313, 3.73172, 3.50603, 3.29775, 3.10521, 2.98187, 2.84886, 2.81399,
                      2.77465, 2.73987, 2.70991, 2.66589),
                  List.of(3.09605, 2.75697, 2.69175))),
          Map.entry(
              "classify-from",
              new Losses(
                  List.of(
                      0.68799, 0.63848, 0.817, 0.73423, 0.66952, 0.73944, 0.70314, 0.66608, 0.70561,
                      0.77224, 0.71223, 0.70116),
                  List.of(0.70817, 0.7119, 0.70129))));

  @TempDir static Path shared;
  @TempDir Path folder;
  private static TinyData data;

  @BeforeAll
  static void makeData() {
    data = new TinyData(shared.resolve("data"));
  }

  private static Recipe recipe(String kind) {
    return Configs.parse(data.json(kind), Recipe.class);
  }

  private static final class Log implements Progress, TrainingObserver {
    final List<Double> losses = new ArrayList<>();
    final List<Double> evaluations = new ArrayList<>();
    final List<String> samples = new ArrayList<>();
    RunDescription description;
    private final long until;
    private final Runnable stop;

    Log(long until, Runnable stop) {
      this.until = until;
      this.stop = stop;
    }

    Log() {
      this(-1, () -> {});
    }

    @Override
    public void begun(RunDescription begun) {
      description = begun;
    }

    @Override
    public void step(Step step) {
      losses.add(step.loss());
      if (step.step() == until) {
        stop.run();
      }
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      evaluations.add(evaluation.value());
    }

    @Override
    public void sample(String text) {
      samples.add(text);
    }
  }

  private static void assertClose(String what, List<Double> expected, List<Double> found) {
    assertEquals(expected.size(), found.size(), what + ": " + found);
    for (int i = 0; i < expected.size(); i++) {
      double close = ROUNDING * Math.max(1, Math.abs(expected.get(i)));
      assertEquals(expected.get(i), found.get(i), close, what + " " + i + ": " + found);
    }
  }

  private static void assertAsBefore(String kind, Log log) {
    assertClose(kind + " losses", BEFORE.get(kind).training(), log.losses);
    assertClose(kind + " evaluations", BEFORE.get(kind).evaluations(), log.evaluations);
  }

  @ParameterizedTest
  @ValueSource(strings = {"classify", "images", "translate", "translate-loss", "forecast"})
  void lossesAreThoseOfTheFormerCommands(String kind) throws IOException {
    Log log = new Log();
    Path run = folder.resolve(kind);
    Metrics best = Run.train(recipe(kind), run, log);
    assertAsBefore(kind, log);
    assertTrue(Files.exists(run.resolve("config.json")));
    assertTrue(log.evaluations.contains(best.primary().value()));
    assertEquals(Run.best(run), best.primary().value());
    assertTrue(log.description.data().training() > log.description.data().heldOut());
  }

  @Test
  void aLanguageModelLearnsAsBeforeAndAnotherBeginsWithIt() throws IOException {
    Log log = new Log();
    Path first = folder.resolve("first");
    Run run = Run.begin(recipe("language"), first, false).withPrompt("cat");
    RunResult result = run.train(log);
    assertAsBefore("language", log);
    assertEquals(TrainingOutcome.Ending.COMPLETED, result.training().ending());
    assertEquals(3, log.samples.size());
    assertTrue(log.samples.get(0).startsWith("cat"), log.samples.get(0));
    assertTrue(result.training().best().get("lossPerByte") < result.training().best().loss());

    Log next = new Log();
    Run.train(recipe("language").withFrom(first), folder.resolve("next"), next);
    double inherited = next.evaluations.remove(0);
    assertEquals(result.training().best().loss(), inherited, 1e-6, "the loss before training");
    assertAsBefore("language-from", next);
  }

  @Test
  void anEncoderLearnsToFillInAndAClassifierBeginsWithIt() throws IOException {
    Log log = new Log();
    Path first = folder.resolve("first");
    Run.train(recipe("masked"), first, log);
    assertAsBefore("masked", log);
    Log next = new Log();
    Run.train(recipe("classify").withFrom(first), folder.resolve("next"), next);
    next.evaluations.remove(0); // of the model before the first update
    assertAsBefore("classify-from", next);
  }

  @Test
  void aRunThatEndedIsTrainedLonger() throws IOException {
    Path run = folder.resolve("run");
    Recipe recipe = recipe("language").with("training.patience", "1");
    Log first = new Log();
    Run.train(recipe, run, first);
    int before = recipe.training().steps();
    assertThrows(RunException.class, () -> Run.reopen(run, before));
    Log more = new Log();
    RunResult result = Run.reopen(run, before + 5).train(more);
    assertEquals(5, more.losses.size());
    assertEquals(before + 5, result.training().steps());
    assertEquals(before + 5, Run.reopen(run).recipe().training().steps());
    List<String> lines = Files.readAllLines(run.resolve("metrics.jsonl"));
    long steps = lines.stream().filter(line -> line.contains("learningRate")).count();
    assertEquals(before + 5, steps);
  }

  /** Training that only does harm leaves the model as it was, also when it is interrupted. */
  @Test
  void theModelBeforeTrainingIsKeptIfNoneIsBetter() throws IOException {
    Path first = folder.resolve("first");
    Metrics before = Run.train(recipe("language"), first, new Log());
    Recipe harmful = recipe("language").withFrom(first).with("training.learningRate", "10");
    Path next = folder.resolve("next");
    Run run = Run.begin(harmful, next, false);
    Log log = new Log(1, run::stop);
    assertTrue(run.train(log).isInterrupted());
    RunResult result = Run.reopen(next).train(log);
    assertEquals(0, result.training().bestStep());
    assertEquals(before.loss(), result.training().best().loss(), 1e-6);
    assertEquals(0, result.training().evaluations().get(0).step());
    assertEquals(
        1,
        Files.readAllLines(next.resolve("metrics.jsonl")).stream()
            .filter(line -> line.contains("\"step\":0,"))
            .count());
    assertArrayEquals(
        Files.readAllBytes(first.resolve("model.safetensors")),
        Files.readAllBytes(next.resolve("model.safetensors")));
  }

  @Test
  void theObjectiveIsHonoured() throws IOException {
    Log log = new Log();
    Recipe consistent = recipe("consistency");
    assertFalse(consistent.objective() instanceof Objective.Plain);
    Run.train(consistent, folder.resolve("run"), log);
    assertAsBefore("consistency", log);
  }

  @ParameterizedTest
  @ValueSource(strings = {"language", "images", "diffusion", "unet", "inpainting", "forecast"})
  void aResumedRunRepeatsTheUninterruptedOneBitForBit(String kind) throws IOException {
    Log whole = new Log();
    Run.train(recipe(kind), folder.resolve("whole"), whole);

    Path parts = folder.resolve("parts");
    Run first = Run.begin(recipe(kind), parts, false);
    Log log = new Log(6, first::stop);
    RunResult stopped = first.train(log);
    assertTrue(stopped.isInterrupted());
    assertEquals(6, stopped.training().steps());
    Random.seed(99);
    Log rest = new Log();
    Run.resume(parts, rest);
    assertEquals(6, rest.description.step());
    log.losses.addAll(rest.losses);
    log.evaluations.addAll(rest.evaluations);
    assertEquals(whole.losses, log.losses);
    assertEquals(whole.evaluations, log.evaluations);
  }

  @ParameterizedTest
  @ValueSource(strings = {"language", "masked", "classify", "images", "translate-loss", "forecast"})
  void manyTrainingsOfTheSameDataAreAsSeparateRuns(String kind) throws IOException {
    List<Double> alone;
    try (PreparedData prepared = Jobs.prepare(recipe(kind))) {
      alone = losses(recipe(kind), prepared);
    }
    try (PreparedData prepared = Jobs.prepare(recipe(kind))) {
      assertEquals(alone, losses(recipe(kind), prepared));
      List<Double> other = losses(recipe(kind).withSeed(4), prepared);
      assertFalse(alone.equals(other), "another seed gives other losses");
      assertEquals(alone, losses(recipe(kind), prepared));
    }
    assertClose(kind, BEFORE.get(kind).training(), alone);
  }

  private static List<Double> losses(Recipe recipe, PreparedData prepared) throws IOException {
    Log log = new Log();
    TrainingOutcome outcome = Training.of(recipe, prepared).withObserver(log).run();
    assertEquals(recipe.training().steps(), outcome.steps());
    assertEquals(log.evaluations.size(), outcome.evaluations().size());
    return log.losses;
  }

  @Test
  void operationsAndMemoryAreMeasuredWithoutChangingTheLosses() throws IOException {
    try (PreparedData prepared = Jobs.prepare(recipe("consistency"))) {
      Log log = new Log();
      TrainingOutcome twice =
          Training.of(recipe("consistency"), prepared)
              .withMeasurements()
              .withEvaluationBatches(1)
              .withObserver(log)
              .run();
      assertClose("losses", BEFORE.get("consistency").training(), log.losses);
      assertTrue(twice.peakBytes() >= -1);
      TrainingOutcome once = Training.of(recipe("language"), prepared).withMeasurements().run();
      assertEquals(2, twice.flopsPerUnit() / once.flopsPerUnit(), 1e-9);
      assertTrue(twice.unitsPerSecond() > 0);
      assertTrue(
          !twice.evaluations().get(0).metrics().equals(once.evaluations().get(0).metrics()),
          "the one looked at a batch only");
    }
  }

  @Test
  void anInterruptedTrainingGoesOnWithAllOfItsCourse() throws IOException {
    Path checkpoints = folder.resolve("checkpoints");
    try (PreparedData prepared = Jobs.prepare(recipe("language"))) {
      TrainingOutcome whole = Training.of(recipe("language"), prepared).run();
      Training first = Training.of(recipe("language"), prepared).withCheckpoints(checkpoints);
      first.withObserver(new Log(8, first::stop));
      assertEquals(TrainingOutcome.Ending.INTERRUPTED, first.run().ending());
      TrainingOutcome rest =
          Training.of(recipe("language"), prepared).withCheckpoints(checkpoints).run();
      assertEquals(12, rest.steps());
      assertEquals(
          whole.losses().stream().map(TrainingOutcome.Loss::value).toList(),
          rest.losses().stream().map(TrainingOutcome.Loss::value).toList());
      assertEquals(3, rest.evaluations().size());
      assertEquals(whole.best(), rest.best());
    }
  }

  @Test
  void divergenceIsAnOutcomeOfATrainingAndAnErrorOfARun() throws IOException {
    Recipe wild = recipe("forecast").with("training.learningRate", "1e30");
    try (PreparedData prepared = Jobs.prepare(wild)) {
      TrainingOutcome outcome = Training.of(wild, prepared).run();
      assertTrue(outcome.diverged());
      assertTrue(outcome.failure().contains("diverged"), outcome.failure());
    }
    Path run = folder.resolve("run");
    assertThrows(DivergenceException.class, () -> Run.train(wild, run, Progress.none()));
  }

  @Test
  void aFolderWithARunIsNotOverwritten() throws IOException {
    Path run = folder.resolve("run");
    Run.train(recipe("language"), run, Progress.none());
    String message =
        assertThrows(RunException.class, () -> Run.train(recipe("language"), run, Progress.none()))
            .getMessage();
    assertTrue(message.contains("holds a run already"), message);
    try (Model begun = Run.reopen(run).initialModel()) {
      assertTrue(begun.parameterCount() > 0);
    }
    assertThrows(RunException.class, () -> Run.reopen(folder.resolve("nowhere")));
  }

  @Test
  void aRunThatWasStoppedBeforeItsFirstEvaluationIsNotThrownAway() throws IOException {
    Recipe late = recipe("language").with("training.evaluateEvery", "12");
    Path run = folder.resolve("run");
    Run first = Run.begin(late, run, false);
    first.train(new Log(6, first::stop));
    String message =
        assertThrows(RunException.class, () -> Run.begin(late, run, false)).getMessage();
    assertTrue(message.contains("continue with --resume " + run), message);
    Log rest = new Log();
    Run.resume(run, rest);
    assertEquals(6, rest.description.step());
    assertEquals(12, steps(run).size());
  }

  /** The steps whose losses the metrics of a run hold. */
  private static List<Long> steps(Path run) throws IOException {
    return Files.readAllLines(run.resolve("metrics.jsonl")).stream()
        .filter(line -> line.contains("gradientNorm"))
        .map(line -> Long.parseLong(line.replaceAll("^.\"step\":(\\d+),.*", "$1")))
        .toList();
  }

  @Test
  void aModelIsReplacedOnlyWhenAskedAndOnlyByAnother() throws IOException {
    Path run = folder.resolve("run");
    Run.train(recipe("language"), run, Progress.none());
    byte[] weights = Files.readAllBytes(run.resolve("model.safetensors"));
    Files.delete(run.resolve("metrics.jsonl"));
    Files.delete(run.resolve("recipe.json"));
    assertThrows(RunException.class, () -> Run.begin(recipe("language"), run, false));
    Recipe itself = recipe("language").withFrom(run);
    for (boolean overwrite : List.of(false, true)) {
      String message =
          assertThrows(RunException.class, () -> Run.begin(itself, run, overwrite)).getMessage();
      assertTrue(message.contains("would be replaced, but is needed"), message);
    }
    Recipe nowhere = recipe("language").withData(folder.resolve("nowhere.txt"));
    assertThrows(RunException.class, () -> Run.begin(nowhere, run, true));
    Path empty = Files.writeString(folder.resolve("short.txt"), "short");
    Recipe hopeless = recipe("language").withData(empty);
    assertThrows(RuntimeException.class, () -> Run.begin(hopeless, run, true).train(new Log()));
    assertArrayEquals(weights, Files.readAllBytes(run.resolve("model.safetensors")));
    assertTrue(Files.exists(run.resolve("tokenizer.json")));

    Path mine = Files.createDirectories(run.resolve("checkpoints/mine")).resolve("a.txt");
    Files.writeString(mine, "mine");
    Run again = Run.begin(recipe("language").withSeed(9), run, true);
    boolean[] seen = new boolean[2];
    again.train(
        new Progress() {
          @Override
          public void begun(RunDescription description) {
            seen[0] = Files.exists(run.resolve(".jformer-replaced/model.safetensors"));
          }

          @Override
          public void evaluation(Evaluation evaluation) {
            seen[1] |= evaluation.step() > 4 && Files.exists(run.resolve(".jformer-replaced"));
          }
        });
    assertTrue(seen[0], "the old model is kept until there is a new one");
    assertFalse(seen[1], "and no longer");
    assertEquals("mine", Files.readString(mine));
  }

  @Test
  void aFailureBeforeTheFirstUpdateLeavesNothing() throws IOException {
    Path empty = Files.writeString(folder.resolve("short.txt"), "short");
    Path run = folder.resolve("runs/deep");
    Recipe hopeless = recipe("language").withData(empty);
    assertThrows(RuntimeException.class, () -> Run.train(hopeless, run, Progress.none()));
    assertFalse(Files.exists(folder.resolve("runs")));
  }

  @Test
  void twoProcessesDoNotTrainInOneFolder() throws IOException {
    Path run = folder.resolve("run");
    List<String> messages = new ArrayList<>();
    Log log =
        new Log(
            2,
            () -> {
              for (Executable other :
                  List.<Executable>of(
                      () -> Run.train(recipe("language"), run, Progress.none()),
                      () -> Run.begin(recipe("language"), run, true).train(Progress.none()),
                      () -> Run.resume(run, Progress.none()))) {
                messages.add(assertThrows(Exception.class, other).getMessage());
              }
            });
    Run.train(recipe("language"), run, log);
    assertTrue(messages.get(0).contains("holds a run already"), messages.get(0));
    assertTrue(messages.get(1).contains("in use by this process"), messages.get(1));
    assertTrue(messages.get(2).contains("in use by this process"), messages.get(2));
    assertEquals(12, log.losses.size());
    assertFalse(Files.exists(run.resolve(".jformer.lock")));
  }

  /** Killed at step 100; the last checkpoint is of step 98, between two recorded losses. */
  @Test
  void theCurveOfAKilledTrainingHasNoHoleAndItsOutcomeNoTrace() throws IOException {
    Recipe recipe =
        recipe("language")
            .with("training.steps", "240")
            .with("training.checkpointEvery", "7")
            .with("training.evaluateEvery", "60");
    Path checkpoints = folder.resolve("checkpoints");
    try (PreparedData prepared = Jobs.prepare(recipe)) {
      TrainingOutcome whole = Training.of(recipe, prepared).run();
      Training killed = Training.of(recipe, prepared).withCheckpoints(checkpoints);
      killed.withObserver(
          new Log(
              100,
              () -> {
                throw new IllegalStateException("killed");
              }));
      assertThrows(IllegalStateException.class, killed::run);
      TrainingOutcome rest = Training.of(recipe, prepared).withCheckpoints(checkpoints).run();
      assertEquals(
          whole.losses().stream().map(TrainingOutcome.Loss::value).toList(),
          rest.losses().stream().map(TrainingOutcome.Loss::value).toList());
      assertEquals(whole.evaluations().size(), rest.evaluations().size());
    }
  }

  @Test
  void aForecasterIsTestedBesideSimpleModels() throws IOException {
    Path run = folder.resolve("run");
    RunResult result = Run.begin(recipe("forecast"), run, false).train(Progress.none());
    assertEquals(
        List.of(
            "this model",
            "a linear model (DLinear)",
            "last value",
            "the value a season (24 rows) before"),
        List.copyOf(result.test().keySet()));
    assertEquals(0.1756, result.test().get("this model").get("mse"), 1e-3);
    assertEquals(0.5988, result.test().get("a linear model (DLinear)").get("mse"), 1e-3);
    assertTrue(Files.exists(run.resolve("bands.safetensors")));
  }
}
