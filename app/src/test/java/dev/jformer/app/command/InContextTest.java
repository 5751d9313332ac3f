package dev.jformer.app.command;

import static dev.jformer.app.command.Outcome.well;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that learn functions in context, from the command line. */
class InContextTest {
  @TempDir Path folder;

  private Outcome train(String name, String functions, String... more) {
    String[] start = {
      "train",
      "--task",
      "in-context",
      "--set",
      functions,
      "--set",
      "data.heldOut=20",
      "--set",
      "data.examples=12",
      "--set",
      "model.layers=1",
      "--set",
      "model.width=16",
      "--steps",
      "3",
      "--quiet",
      "--out",
      folder.resolve(name).toString()
    };
    String[] all = java.util.Arrays.copyOf(start, start.length + more.length);
    System.arraycopy(more, 0, all, start.length, more.length);
    return Outcome.of(all);
  }

  @Test
  void trainsAndComparesWithSolvers() throws IOException {
    assertEquals(0, train("linear", "data.class=linear").code());
    Path run = folder.resolve("linear");
    String text = well("eval", run.toString()).out();
    assertTrue(text.contains("after examples: 0 1 2 4 8 11"), text);
    assertTrue(text.matches("(?s).*error of model: (\\d+\\.\\d{4} ?){6}\\n.*"), text);
    assertTrue(text.matches("(?s).*error of least squares: (\\d+\\.\\d{4} ?){4}0\\.0000.*"), text);
    Path small = folder.resolve("small");
    well("compress", run.toString(), "--with", "weight-int8", "--out", small.toString());
    assertTrue(well("eval", small.toString()).out().contains("error of model"));
    Files.delete(small.resolve("problem.json"));
    Outcome missing = Outcome.of("eval", small.toString());
    assertEquals(1, missing.code());
    assertTrue(missing.err().contains("problem.json is missing"), missing.err());
  }

  @Test
  void booleanFunctionsHaveAccuracies() {
    Outcome outcome =
        train("and", "data.class={type: conjunction, inputs: 6}", "--set", "model.mixer=lstm");
    assertEquals(0, outcome.code(), outcome.err());
    String text = well("eval", folder.resolve("and").toString()).out();
    assertTrue(text.contains("accuracy"), text);
    assertTrue(text.contains("error of elimination"), text);
  }

  @Test
  void whatCannotBeIsRefused() {
    Outcome unknown = train("a", "data.class=liner");
    assertEquals(1, unknown.code());
    assertTrue(unknown.err().contains("linear"), unknown.err());
    Outcome window = train("b", "data.class={type: sliding-window, window: 20}");
    assertEquals(1, window.code());
    assertTrue(window.err().contains("12 examples"), window.err());
    Outcome data = train("c", "data.class=linear", "--data", "x.csv");
    assertEquals(1, data.code());
    assertTrue(data.err().contains("is made (in-context): leave out --data"), data.err());
  }
}
