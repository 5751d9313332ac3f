package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.train.Listener;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pretraining on a task's own data, as the first part of a run. */
class PretrainingTest {
  private static final int STEPS = 7;

  @TempDir static Path shared;
  @TempDir Path folder;

  private static Recipe recipe(String mixer) {
    String json =
        """
        {"model": {"model": "encoder", "layers": 1, "width": 8, "dropout": 0.1,
                   "mixer": %s, "position": {"type": "none"}},
         "data": {"type": "algorithm", "samples": 60, "heldOut": 20,
                  "problem": {"type": "list-ops", "longest": 20, "depth": 2, "operands": 3}},
         "training": {"steps": 7, "batch": 5, "learningRate": 0.01, "evaluateEvery": 3,
                      "checkpointEvery": 2},
         "pretraining": {"objective": {"type": "denoising", "share": 0.4}, "steps": 5}}
        """
            .formatted(mixer);
    return Configs.parse(json, Recipe.class);
  }

  private static Recipe recipe() {
    return recipe("{\"type\": \"softmax\", \"heads\": 2}");
  }

  /** The losses of both parts; stops a run at a step of one of them. */
  private static final class Log implements Progress {
    final List<Double> before = new ArrayList<>();
    final List<Double> after = new ArrayList<>();
    final List<Double> evaluations = new ArrayList<>();
    private final long until;
    private final boolean inPretraining;
    private final Runnable stop;

    Log(long until, boolean inPretraining, Runnable stop) {
      this.until = until;
      this.inPretraining = inPretraining;
      this.stop = stop;
    }

    Log() {
      this(-1, false, () -> {});
    }

    private void add(List<Double> losses, boolean first, Step step) {
      losses.add(step.loss());
      if (first == inPretraining && step.step() == until) {
        stop.run();
      }
    }

    @Override
    public Progress pretraining() {
      return new Progress() {
        @Override
        public void step(Step step) {
          add(before, true, step);
        }
      };
    }

    @Override
    public void step(Step step) {
      add(after, false, step);
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      evaluations.add(evaluation.value());
    }
  }

  /** It is a training of the other objective, and then one that begins with its weights. */
  @Test
  void isTheOneTrainingAfterTheOther() throws IOException {
    Recipe recipe = recipe();
    Log log = new Log();
    RunResult result = Run.begin(recipe, folder.resolve("run"), false).train(log);
    assertEquals(5, log.before.size());
    assertEquals(STEPS, log.after.size());
    assertEquals(STEPS, result.training().steps());

    List<Double> first = new ArrayList<>();
    AtomicReference<Model> copy = new AtomicReference<>();
    Recipe alone =
        recipe
            .withPretraining(new Pretraining())
            .withObjective(recipe.pretraining().objective())
            .with("training.steps", "5");
    List<Double> second = new ArrayList<>();
    try (PreparedData data = Jobs.prepare(recipe)) {
      Training.of(alone, data).withObserver(new Losses(first, copy)).run();
      try (Model model = copy.get();
          Scope scope = Scope.open()) {
        Task task = data.task(model, recipe, PreparedData.USUAL);
        Random.seed(recipe.training().seed());
        Training.of(model, task, recipe.training())
            .withObserver(new Losses(second, new AtomicReference<>()))
            .run();
      }
    }
    assertEquals(first, log.before);
    assertEquals(second, log.after);
    Recipe scratch = recipe.withPretraining(new Pretraining());
    Log other = new Log();
    Run.train(scratch, folder.resolve("scratch"), other);
    assertTrue(other.before.isEmpty());
    assertFalse(other.after.equals(log.after));
  }

  private record Losses(List<Double> losses, AtomicReference<Model> last)
      implements TrainingObserver {
    @Override
    public void step(Listener.Step step) {
      losses.add(step.loss());
    }

    @Override
    public void ended(Model model, TrainingOutcome outcome) {
      if (last.get() == null) {
        Model made = model.config().build();
        made.copyFrom(model);
        last.set(made);
      }
    }
  }

  /** Stopped in the first part, at its end, and in the second one. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5, 6, 9})
  void aResumedRunRepeatsTheUninterruptedOneBitForBit(int at) throws IOException {
    Log whole = new Log();
    Run.train(recipe(), folder.resolve("whole"), whole);
    Path parts = folder.resolve("parts");
    Run run = Run.begin(recipe(), parts, false);
    boolean early = at <= 5;
    Log log = new Log(early ? at : at - 5, early, run::stop);
    assertTrue(run.train(log).isInterrupted());
    assertEquals(Math.min(at, 5), log.before.size());
    Random.seed(99);
    Log rest = new Log();
    Run.resume(parts, rest);
    log.before.addAll(rest.before);
    log.after.addAll(rest.after);
    log.evaluations.addAll(rest.evaluations);
    assertEquals(whole.before, log.before);
    assertEquals(whole.after, log.after);
    assertEquals(whole.evaluations, log.evaluations);
    List<String> lines = Files.readAllLines(parts.resolve("pretraining.jsonl"));
    assertEquals(5, lines.stream().filter(line -> line.contains("learningRate")).count());
  }

  /** Killed between the parts: the last weights of the first part are there. */
  @Test
  void goesOnAfterThePretraining() throws IOException {
    Log whole = new Log();
    Run.train(recipe(), folder.resolve("whole"), whole);
    Path run = folder.resolve("run");
    Run.train(recipe(), run, new Log());
    try (var entries = Files.list(run.resolve("checkpoints"))) {
      for (Path entry : entries.filter(e -> !e.endsWith("pretraining")).toList()) {
        dev.jformer.io.FileTree.delete(entry);
      }
    }
    Log rest = new Log();
    Run.resume(run, rest);
    assertTrue(rest.before.isEmpty());
    assertEquals(whole.after, rest.after);
  }

  @Test
  void isReplacedWithTheRunAndCountsAsTime() throws IOException {
    Path run = folder.resolve("run");
    Run.train(recipe(), run, new Log());
    Run.begin(recipe().withPretraining(new Pretraining()), run, true).train(new Log());
    assertFalse(Files.exists(run.resolve("pretraining.jsonl")));
    assertFalse(Files.exists(run.resolve("checkpoints/pretraining")));
    try (PreparedData data = Jobs.prepare(recipe())) {
      Recipe longer = recipe().withPretraining(recipe().pretraining().withSteps(60));
      TrainingOutcome outcome = Training.of(longer, data).run();
      double first = outcome.losses().get(0).seconds();
      assertTrue(first > outcome.seconds() / 2, first + " of " + outcome.seconds() + " s");
    }
  }

  /** A linear RNN looks both ways, or back only and then predicts next tokens. */
  @Test
  void linearRecurrentNetworksArePretrained() throws IOException {
    Log masked = new Log();
    Run.train(recipe("{\"type\": \"dlr\", \"states\": 4}"), folder.resolve("masked"), masked);
    Log causal = new Log();
    Recipe next =
        recipe("{\"type\": \"dlr\", \"states\": 4}")
            .with("model.causal", "true")
            .with("pretraining.objective.kind", "causal");
    Path run = folder.resolve("causal");
    Run.train(next, run, causal);
    assertEquals(5, causal.before.size());
    assertFalse(masked.before.equals(causal.before));
    assertTrue(
        ((Encoder.Config) Configs.read(run.resolve("config.json"), Model.Config.class)).causal());
  }

  @Test
  void refusesWhatCannotBePretrainedAndLeavesNothing() throws IOException {
    TinyData data = new TinyData(shared.resolve("data"));
    Recipe images =
        Configs.parse(data.json("images"), Recipe.class).with("pretraining.objective", "denoising");
    Path run = folder.resolve("run");
    var refused =
        assertThrows(IllegalArgumentException.class, () -> Run.train(images, run, new Log()));
    assertTrue(refused.getMessage().contains("classification of texts"), refused.getMessage());
    assertFalse(Files.exists(run.resolve("recipe.json")));
    Recipe causal = recipe().with("pretraining.objective.kind", "causal");
    var sees =
        assertThrows(IllegalArgumentException.class, () -> Run.train(causal, run, new Log()));
    assertTrue(sees.getMessage().contains("model.causal"), sees.getMessage());
    assertThrows(
        RuntimeException.class,
        () ->
            recipe()
                .with("pretraining.objective", "{\"type\":\"distillation\",\"teacher\":\"x\"}"));
    Recipe other = recipe().with("data.problem", "brackets");
    var unclassified = assertThrows(RunException.class, () -> Run.train(other, run, new Log()));
    assertTrue(unclassified.getMessage().contains("list-ops"), unclassified.getMessage());
  }
}
