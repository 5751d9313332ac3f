package dev.jformer.app.command;

import static dev.jformer.app.command.Outcome.well;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model learns to copy, as a user gives the commands. */
class AlgorithmTest {
  @TempDir Path folder;

  private static double accuracy(Path run) throws IOException {
    Outcome outcome = well("eval", run.toString(), "--json");
    JsonNode result = new JsonMapper().readTree(outcome.out());
    return result.findValue("accuracy").doubleValue();
  }

  @Test
  void learnsEvaluatesCompressesAndAnswers() throws IOException {
    Path run = folder.resolve("run");
    String[] train = {
      "train",
      "--task",
      "algorithm",
      "--set",
      "data.problem={type: sequences, task: copy, shortest: 1, longest: 3, numbers: 6}",
      "--set",
      "data.heldOut=12",
      "--set",
      "model.layers=2",
      "--set",
      "model.width=32",
      "--set",
      "model.length=12",
      "--set",
      "training.learningRate=0.01",
      "--set",
      "training.evaluateEvery=100",
      "--steps",
      "200",
      "--quiet",
      "--out",
      run.toString()
    };
    well(train);
    double accuracy = accuracy(run);
    assertTrue(accuracy > 0.7, "it copies: " + accuracy);
    String text = well("generate", run.toString(), "--prompt", "5 2 >", "--greedy").out();
    assertEquals("52>52", text.replaceAll("\\s", ""));
    Path small = folder.resolve("small");
    well("compress", run.toString(), "--with", "weight-int8", "--out", small.toString());
    assertEquals(accuracy, accuracy(small), 0.1);
  }

  @Test
  void whatCannotBeIsRefused() {
    Outcome outcome =
        Outcome.of("train", "--task", "algorithm", "--data", "x.txt", "--out", folder + "/r");
    assertEquals(1, outcome.code());
    assertTrue(outcome.err().contains("is made (algorithm): leave out --data"), outcome.err());
    outcome =
        Outcome.of(
            "train",
            "--task",
            "algorithm",
            "--set",
            "data.problem=sorting",
            "--out",
            folder + "/r");
    assertEquals(1, outcome.code());
    assertTrue(outcome.err().contains("sorting"), outcome.err());
  }
}
