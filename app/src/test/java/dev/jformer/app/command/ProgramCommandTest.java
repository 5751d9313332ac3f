package dev.jformer.app.command;

import static dev.jformer.app.command.Outcome.well;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
  void whatCannotBeIsRefused() {
    String run = folder.resolve("none").toString();
    refused("a capital letter", "program", run, "--out", folder.resolve("sort.java").toString());
    refused("a capital letter", "program", run, "--out", folder.resolve("String.java").toString());
    refused("a capital letter", "program", run, "--out", folder.resolve("Sort.txt").toString());
    refused("none", "program", run, "--out", folder.resolve("Sort.java").toString());
    assertFalse(Files.exists(folder.resolve("Sort.java")));
  }
}
