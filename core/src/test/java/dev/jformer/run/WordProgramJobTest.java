package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.data.text.LabelledTexts;
import dev.jformer.data.text.TaggedTexts;
import dev.jformer.data.text.Word;
import dev.jformer.metrics.EntityScores;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.program.Compiled;
import dev.jformer.program.DiscreteProgram;
import dev.jformer.program.JavaWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs that read words are learned from files, measured, written, compiled and run. */
class WordProgramJobTest {
  private static final List<String> NAMES = List.of("Anna", "Ben", "Carl", "Dora", "Eve", "Finn");
  private static final List<String> PLACES = List.of("Rome", "Oslo", "Bern", "Kiel", "Lund");
  private static final List<String> FILLERS = List.of("today", "we", "see", "that", "it", "rains");

  @TempDir Path folder;

  private static Recipe recipe(Path data, Path heldOut, int steps, Map<String, String> more) {
    Map<String, String> fields =
        new HashMap<>(
            Map.ofEntries(
                Map.entry("data.source", data.toString()),
                Map.entry("data.heldOut", heldOut == null ? "" : heldOut.toString()),
                Map.entry("model.length", "12"),
                Map.entry("model.tokenVariables", "2"),
                Map.entry("model.values", "12"),
                Map.entry("model.layers", "1"),
                Map.entry("model.categoricalHeads", "4"),
                Map.entry("model.hidden", "16"),
                Map.entry("training.learningRate", "0.05"),
                Map.entry("training.steps", Integer.toString(steps)),
                Map.entry("training.evaluateEvery", Integer.toString(steps))));
    fields.putAll(more);
    return Recipe.of(Recipe.tree("program-words"), fields);
  }

  /** Names are people, if "in" stands before them they are places. */
  private Path tagged(String name, int sentences, long seed, List<String> names)
      throws IOException {
    Random random = new Random(seed);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < sentences; i++) {
      for (int word = 1 + random.nextInt(6); word > 0; word--) {
        switch (random.nextInt(3)) {
          case 0 -> lines.append(pick(FILLERS, random)).append("\tO\n");
          case 1 -> lines.append(pick(names, random)).append("\tB-person\n");
          default -> lines.append("in\tO\n").append(pick(names, random)).append("\tB-place\n");
        }
      }
      lines.append('\n');
    }
    return Files.writeString(folder.resolve(name), lines);
  }

  private Path labelled(String name, int texts, long seed) throws IOException {
    Random random = new Random(seed);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < texts; i++) {
      boolean place = random.nextBoolean();
      lines
          .append(pick(FILLERS, random))
          .append(' ')
          .append(pick(place ? PLACES : NAMES, random))
          .append(", ")
          .append(pick(FILLERS, random))
          .append(place ? "\tplace\n" : "\tperson\n");
    }
    return Files.writeString(folder.resolve(name), lines);
  }

  private static String pick(List<String> some, Random random) {
    return some.get(random.nextInt(some.size()));
  }

  private double measured(Path run, Path data, String metric) throws IOException {
    try (TrainedModel trained = TrainedModel.load(run)) {
      assertEquals("word-program", trained.job().type());
      assertFalse(trained.hasHeldOutData());
      return trained.evaluate(EvaluationRequest.of(data), Progress.none()).metrics().get(metric);
    }
  }

  @Test
  void learnsEntities() throws IOException {
    Path training = tagged("train.conll", 300, 1, NAMES);
    List<String> unseen = new ArrayList<>(PLACES);
    unseen.addAll(NAMES);
    Path test = tagged("test.conll", 60, 2, unseen);
    Path run = folder.resolve("entities");
    Metrics best =
        Run.train(recipe(training, test, 300, Map.of("data.unknown", "0.3")), run, Progress.none());
    double f1 = measured(run, test, EntityScores.F1);
    assertEquals(best.get(EntityScores.F1), f1, 1e-9, "as before saving");
    assertTrue(f1 > 0.6, "half are places: what stands before a name decides: " + f1);
    for (boolean shortened : new boolean[] {false, true}) {
      DiscreteProgram program = ProgramJob.program(run, "Names", shortened);
      EntityScores scores = new EntityScores();
      Path place = Files.createDirectories(folder.resolve("java" + shortened));
      try (Compiled java = new Compiled("Names", JavaWriter.write(program), place)) {
        for (TaggedTexts.Sentence sentence : TaggedTexts.read(test).sentences()) {
          int most = program.scheme().mostInputs();
          List<String> words = sentence.words().subList(0, Math.min(most, sentence.words().size()));
          List<String> labels = java.run(words);
          assertEquals(program.run(words), labels);
          scores.add(sentence.tags().subList(0, words.size()), labels);
        }
      }
      assertEquals(f1, scores.all().f1(), 0.03);
    }
    assertTrue(
        ProgramJob.program(run, "N", true).steps().size()
            < ProgramJob.program(run, "N", false).steps().size());
    Files.delete(training);
    RunException e = assertThrows(RunException.class, () -> ProgramJob.program(run, "Names", true));
    assertTrue(e.getMessage().contains("which the model in"), e.getMessage());
  }

  @Test
  void learnsClassesOfTexts() throws IOException {
    Path training = labelled("train.tsv", 200, 1);
    Path test = labelled("test.tsv", 60, 2);
    Path run = folder.resolve("classes");
    Run.train(recipe(training, null, 150, Map.of()), run, Progress.none());
    double accuracy = measured(run, test, Metric.ACCURACY);
    assertTrue(accuracy > 0.8, "the names are known: " + accuracy);
    DiscreteProgram program = ProgramJob.program(run, "Classes", true);
    LabelledTexts texts = LabelledTexts.read(test, false);
    int right = 0;
    try (Compiled java = new Compiled("Classes", JavaWriter.write(program), folder)) {
      for (int i = 0; i < texts.texts().size(); i++) {
        List<String> words = Word.split(texts.texts().get(i)).stream().map(Word::text).toList();
        List<String> label = java.run(words);
        assertEquals(program.run(words), label);
        right += label.equals(List.of(texts.classes().get(texts.labels().get(i)))) ? 1 : 0;
      }
    }
    assertEquals(accuracy, right / 60.0, 0.02);
  }

  private String refused(Path data, Map<String, String> more) {
    return assertThrows(
            RuntimeException.class,
            () ->
                Run.train(recipe(data, null, 2, more), folder.resolve("refused"), Progress.none()))
        .getMessage();
  }

  @Test
  void badFilesAreRefused() throws IOException {
    Path none = Files.writeString(folder.resolve("empty.conll"), "\n\n");
    assertTrue(refused(none, Map.of()).contains("holds no texts"), refused(none, Map.of()));
    assertTrue(
        refused(none, Map.of("data.format", "tagged")).contains("holds no words"),
        refused(none, Map.of("data.format", "tagged")));
    Path untagged = Files.writeString(folder.resolve("bad.conll"), "We\tO\nsee\tO\nAnna\n");
    assertTrue(
        refused(untagged, Map.of()).contains("bad.conll line 3 has one column, 'Anna'"),
        refused(untagged, Map.of()));
    Path unlabelled = Files.writeString(folder.resolve("bad.tsv"), "who is it\tperson\nwhen\n");
    assertTrue(refused(unlabelled, Map.of()).contains("no tab"), refused(unlabelled, Map.of()));
    Path one = Files.writeString(folder.resolve("one.tsv"), "who\tperson\nhe\tperson\n");
    assertTrue(refused(one, Map.of()).contains("has one class only"), refused(one, Map.of()));
    Path good = labelled("good.tsv", 20, 1);
    assertTrue(
        refused(good, Map.of("model.length", "1")).contains("model.length is 1: expected at least"),
        refused(good, Map.of("model.length", "1")));
    assertTrue(refused(folder.resolve("missing"), Map.of()).contains("missing"));
  }

  @Test
  void unseenLabelsAreRefused() throws IOException {
    Path training = labelled("train.tsv", 40, 1);
    Path run = folder.resolve("run");
    Run.train(recipe(training, null, 2, Map.of()), run, Progress.none());
    Path other = Files.writeString(folder.resolve("other.tsv"), "when\ttime\nwho\tperson\n");
    DataException e =
        assertThrows(DataException.class, () -> measured(run, other, Metric.ACCURACY));
    assertTrue(e.getMessage().contains("has the label 'time'"), e.getMessage());
    RunException missing =
        assertThrows(
            RunException.class,
            () -> {
              try (TrainedModel trained = TrainedModel.load(run)) {
                trained.evaluate(EvaluationRequest.heldOut(), Progress.none());
              }
            });
    assertTrue(missing.getMessage().contains("--data"), missing.getMessage());
  }
}
