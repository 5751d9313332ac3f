package dev.jformer.app.command;

import static dev.jformer.app.command.Outcome.well;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program is trained and written, as a user gives the commands. */
class ProgramCommandTest {
  @TempDir Path folder;

  private void refused(String words, String... args) {
    Outcome outcome = Outcome.of(args);
    assertEquals(1, outcome.code());
    assertTrue(outcome.err().contains(words), outcome.err());
  }

  @Test
  void trainsAndWrites() throws IOException {
    String run = folder.resolve("run").toString();
    well(
        "train",
        "--task",
        "program",
        "--set",
        "data.problem={type: token-labels, task: histogram, numbers: 3, longest: 6}",
        "--set",
        "data.samples=0",
        "--set",
        "data.heldOut=20",
        "--set",
        "model.layers=1",
        "--steps",
        "3",
        "--set",
        "training.batch=8",
        "--quiet",
        "--out",
        run);
    assertTrue(well("eval", run).out().contains("accuracy"));
    Path java = folder.resolve("Histogram.java");
    well("program", run, "--out", java.toString());
    String source = Files.readString(java);
    assertTrue(source.contains("public final class Histogram {"), source);
    refused("exists: choose another file", "program", run, "--out", java.toString());
    well("program", run, "--out", java.toString(), "--overwrite", "--whole");
    assertTrue(Files.readString(java).length() >= source.length());
    Path python = folder.resolve("histogram.py");
    well("program", run, "--out", python.toString());
    assertTrue(Files.readString(python).contains("def run(token):"));
    assertTrue(well("program", run).out().contains("public final class Program {"));
  }

  @Test
  void filesOfWordsAreLearned() throws IOException {
    Path tagged = folder.resolve("train.conll");
    Files.writeString(
        tagged, "We\tO\nsee\tO\nAnna\tB-person\n\nin\tO\nRome\tB-place\n\n".repeat(20));
    Path labelled = folder.resolve("train.tsv");
    Files.writeString(labelled, "who is it ?\tperson\nwhat is it ?\tthing\n".repeat(20));
    for (Path data : List.of(tagged, labelled)) {
      String run = folder.resolve("run-" + data.getFileName()).toString();
      String[] train = {
        "train",
        "--task",
        "program",
        "--data",
        data.toString(),
        "--steps",
        "3",
        "--set",
        "model.layers=1",
        "--set",
        "training.batch=8",
        "--quiet",
        "--out",
        run
      };
      well(train);
      String measured = well("eval", run, "--data", data.toString()).out();
      assertTrue(measured.contains(data == tagged ? "f1" : "accuracy"), measured);
      Path java = folder.resolve(data == tagged ? "Entities.java" : "Classes.java");
      well("program", run, "--out", java.toString());
      String source = Files.readString(java);
      assertTrue(source.contains("public static String[] run(String... word)"), source);
      refused("no data to measure", "eval", run);
    }
    refused(
        "contradict each other",
        "train",
        "--task",
        "program",
        "--recipe",
        "tokens",
        "--data",
        tagged.toString());
    refused(
        "is made (algorithm): leave out --data",
        "train",
        "--recipe",
        "program",
        "--data",
        tagged.toString());
  }

  @Test
  void whatCannotBeIsRefused() {
    String run = folder.resolve("none").toString();
    refused("a capital letter", "program", run, "--out", folder.resolve("sort.java").toString());
    refused("a capital letter", "program", run, "--out", folder.resolve("String.java").toString());
    refused("a capital letter", "program", run, "--out", folder.resolve("Sort.txt").toString());
    refused("none", "program", run, "--out", folder.resolve("Sort.java").toString());
    assertFalse(Files.exists(folder.resolve("Sort.java")));
  }
}
