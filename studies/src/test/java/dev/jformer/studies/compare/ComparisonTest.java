package dev.jformer.studies.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.run.LanguageModellingJob;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Notebook;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Watcher;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Random;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
  private static final Recipe BASE =
      Configs.parse(
          """
          {"model":{"model":"causal-lm","layers":1,"width":32,"length":32},
           "training":{"batch":4,"learningRate":0.003}}
          """,
          Recipe.class);

  @TempDir private Path folder;
  private TokenFile text;

  @BeforeEach
  void open() throws IOException {
    Corpus corpus = Corpus.open(Path.of("src/main/java"), List.of(".java"));
    text = TokenFile.prepare(folder.resolve("text"), corpus, new ByteTokenizer(), 0.2, bytes -> {});
  }

  @AfterEach
  void close() {
    text.close();
  }

  private ExperimentContext lab(Watcher watcher) {
    return new ExperimentContext(
        Scale.LAPTOP, text, new Notebook(folder.resolve("notes"), "test", "test"), watcher);
  }

  private Choice run(Comparison comparison, ExperimentContext lab) {
    return comparison.run(lab, LanguageModellingJob.of(text));
  }

  private static TrainingOutcome train(Recipe recipe, PreparedData data) throws IOException {
    return Training.of(recipe, data)
        .withOwnShape()
        .withEvaluationBatches(1)
        .withMeasurements()
        .run();
  }

  private static Comparison comparison(String budget, int seeds) {
    return new Comparison(
        List.of(new Variant(Variant.BASE, BASE), Variants.of(BASE, "alibi").get(0)),
        Budget.parse(budget),
        seeds,
        Choice.Priority.QUALITY,
        0.01);
  }

  @Test
  void givesEachTheSameBudgetOfOperations() {
    ExperimentContext lab = lab(Watcher.NONE);
    // Per token and forward: 12 D² weights of the block and the head, plus causal attention.
    double perToken = 3 * (2.0 * (12 * 32 * 32 + 32 * 256) + 2 * 2 * 32 * 32 / 2.0);
    double perStep = perToken * 4 * 32;
    run(comparison(7.5 * perStep + "flops", 1), lab);
    Evidence evidence = lab.evidence("compare", "t", "c");
    List<String> base = evidence.tables().get(0).rows().get(0);
    List<String> columns = evidence.tables().get(0).columns();
    assertEquals("7", base.get(columns.indexOf("steps")), "steps of " + base);
    assertEquals(2, evidence.tables().get(0).rows().size());
    assertTrue(evidence.summary().startsWith("For quality, take "), evidence.summary());
  }

  @Test
  void learnsTheSameWhetherInterruptedOrNot() {
    LanguageTrial trial =
        new LanguageTrial(
            (dev.jformer.model.CausalLm.Config) BASE.model(), BASE.training().withSteps(20, 4));
    TrainingResult whole = trial.run(text, (done, detail) -> {}, null);
    Path unfinished = folder.resolve("unfinished");
    assertThrows(
        IllegalStateException.class,
        () ->
            trial.run(
                text,
                (done, detail) -> {
                  if (done > 0.6) {
                    throw new IllegalStateException("killed");
                  }
                },
                unfinished));
    int[] first = {-1};
    TrainingResult resumed =
        trial.run(
            text,
            (done, detail) -> first[0] = first[0] < 0 ? (int) Math.round(20 * done) : first[0],
            unfinished);
    assertEquals(11, first[0], "the first step after the checkpoint of step 10");
    assertEquals(
        whole.validation().stream().map(TrainingResult.Point::loss).toList(),
        resumed.validation().stream().map(TrainingResult.Point::loss).toList());
    assertEquals(whole.finalLoss(), resumed.finalLoss());
    assertEquals(20, resumed.steps());
    assertTrue(resumed.seconds() > 0);
  }

  @Test
  void learnsByTheObjectiveOfARecipeAndCountsItsPasses() {
    LanguageTrial plain =
        new LanguageTrial(
            (dev.jformer.model.CausalLm.Config) BASE.model(), BASE.training().withSteps(2, 1));
    TrainingResult once = plain.run(text, (done, detail) -> {}, null);
    TrainingResult twice =
        plain
            .withObjective(new dev.jformer.train.Consistency())
            .run(text, (done, detail) -> {}, null);
    assertEquals(2 * once.flopsPerUnit(), twice.flopsPerUnit(), 1e-6 * once.flopsPerUnit());
    // Two passes without anything drawn agree, so that their losses are added up.
    assertEquals(2 * once.training().get(0).loss(), twice.training().get(0).loss(), 1e-4);
  }

  @Test
  void variantsBeginWithTheModelAndLearnByTheObjectiveOfTheBase() throws IOException {
    Path first = folder.resolve("first");
    Random.seed(5);
    try (Model trained = BASE.model().build()) {
      trained.parameters().values().forEach(p -> p.copyFrom(p.value().detach().mul(4)));
      Models.save(trained, first);
    }
    Recipe plain = BASE.withSteps(2);
    Recipe recipe = plain.withFrom(first).withObjective(new dev.jformer.train.Consistency());
    PreparedData data = LanguageModellingJob.of(text);
    TrainingOutcome scratch = train(plain, data);
    TrainingOutcome outcome = train(recipe, data);
    assertEquals(2 * scratch.flopsPerUnit(), outcome.flopsPerUnit(), 1e-6 * scratch.flopsPerUnit());
    TrainingOutcome once = train(recipe.withObjective(plain.objective()), data);
    double loss = once.losses().get(0).value();
    assertTrue(Math.abs(loss - scratch.losses().get(0).value()) > 0.01, "other weights: " + loss);
    assertEquals(2 * loss, outcome.losses().get(0).value(), 1e-3);
    // A variant keeps its own shape.
    Recipe alibi = Variants.of(recipe, "alibi").get(0).recipe();
    assertEquals(recipe.from(), alibi.from());
    assertEquals(recipe.objective(), alibi.objective());
    try (Model built = Training.of(alibi, data).withOwnShape().build()) {
      assertEquals(alibi.model(), built.config());
    }
  }

  @Test
  void recallsWhatItMeasured() throws IOException {
    run(comparison("4steps", 2), lab(Watcher.NONE));
    try (var files = Files.list(folder.resolve("notes"))) {
      assertTrue(
          files.noneMatch(file -> file.getFileName().toString().startsWith("unfinished")),
          "nothing unfinished stays");
    }
    Watcher strict =
        new Watcher() {
          @Override
          public void begin(String measurement) {
            throw new IllegalStateException("measured again: " + measurement);
          }
        };
    run(comparison("4steps", 2), lab(strict));
  }

  @Test
  void refusesABudgetThatPaysForNothing() {
    var error =
        assertThrows(
            IllegalArgumentException.class, () -> run(comparison("10flops", 1), lab(Watcher.NONE)));
    assertTrue(error.getMessage().contains("is not enough for one step"), error.getMessage());
    assertThrows(
        IllegalArgumentException.class,
        () -> Comparison.of(BASE).budget(Budget.ofSteps(1)).run(folder.resolve("alone")));
  }
}
