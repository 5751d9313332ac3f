package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.Examples;
import dev.jformer.data.algorithm.Labelling;
import dev.jformer.data.algorithm.LabellingTask;
import dev.jformer.data.algorithm.TokenLabels;
import dev.jformer.data.label.LabelledSequence;
import dev.jformer.data.label.MadeSequences;
import dev.jformer.metrics.Metric;
import dev.jformer.model.program.TransformerProgram;
import dev.jformer.program.Compiled;
import dev.jformer.program.DiscreteProgram;
import dev.jformer.program.JavaWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program is learned, measured, written, compiled and run. */
class ProgramJobTest {
  @TempDir Path folder;

  private static Recipe recipe(LabellingTask task, int steps) {
    return Recipe.of(
        Recipe.tree("program"),
        Map.of(
            "data.problem",
            "{type: token-labels, task: "
                + task.name().toLowerCase(Locale.ROOT)
                + ", numbers: 4, longest: 6}",
            "data.samples",
            "0",
            "data.heldOut",
            "20",
            "model.layers",
            "2",
            "model.hidden",
            "16",
            "training.batch",
            "64",
            "training.steps",
            Integer.toString(steps),
            "training.evaluateEvery",
            Integer.toString(steps)));
  }

  @Test
  void learnsToReverse() throws IOException {
    Path run = folder.resolve("reverse");
    Run.train(recipe(LabellingTask.REVERSE, 300), run, Progress.none());
    double accuracy;
    try (TrainedModel trained = TrainedModel.load(run)) {
      assertTrue(trained.hasHeldOutData());
      accuracy =
          trained
              .evaluate(EvaluationRequest.heldOut(), Progress.none())
              .metrics()
              .get(Metric.ACCURACY);
    }
    assertTrue(accuracy > 0.6, "chance is a quarter: " + accuracy);
    TokenLabels problem = new TokenLabels(LabellingTask.REVERSE, 4, 6);
    List<Example> heldOut = new Examples(problem, 0, 1, 1).heldOut(20);
    MadeSequences sequences = new MadeSequences(problem, 0, 1, 1, 20);
    long labels =
        heldOut.stream()
            .flatMap(example -> example.answer().stream())
            .filter(label -> !label.equals(Labelling.NONE))
            .count();
    DiscreteProgram whole = ProgramJob.program(run, "Reverse", false);
    DiscreteProgram shorter = ProgramJob.program(run, "Reverse", true);
    assertEquals(accuracy, (double) ProgramJob.right(whole, sequences.heldOut()) / labels, 0.05);
    // Sequences that are held out are longer, which a shorter program promises nothing about.
    List<LabelledSequence> typical = sequences.typical(4000);
    int right = ProgramJob.right(whole, typical);
    assertTrue(ProgramJob.right(shorter, typical) >= right - right / 1000);
    assertTrue(shorter.steps().size() < whole.steps().size());
    for (DiscreteProgram program : List.of(whole, shorter)) {
      Path place = Files.createDirectories(folder.resolve("java" + program.steps().size()));
      try (Compiled java = new Compiled("Reverse", JavaWriter.write(program), place)) {
        for (Example example : heldOut) {
          assertEquals(program.run(example.prompt()), java.run(example.prompt()));
        }
      }
    }
  }

  @Test
  void otherProblemsAndModelsAreRefused() throws IOException {
    Recipe sums =
        recipe(LabellingTask.SORT, 2)
            .withData(new AlgorithmData())
            .withModel(new TransformerProgram.Config());
    RunException e = assertThrows(RunException.class, () -> Jobs.prepare(sums));
    assertTrue(e.getMessage().contains("expected data.problem to be token-labels"), e.getMessage());
    Path run = folder.resolve("sort");
    Run.train(recipe(LabellingTask.SORT, 2), run, Progress.none());
    Files.delete(run.resolve("problem.json"));
    e = assertThrows(RunException.class, () -> ProgramJob.program(run, "Sort", true));
    assertTrue(e.getMessage().contains("has no problem.json"), e.getMessage());
  }
}
