package dev.jformer.app.command;

import static dev.jformer.app.command.Outcome.well;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that label items, from the command line. */
class ExemplarsTest {
  @TempDir Path folder;

  private Outcome train(String name, String field) {
    return Outcome.of(
        "train",
        "--task",
        "exemplars",
        "--set",
        "data.heldOut=50",
        "--set",
        "data.dimension=8",
        "--set",
        "model.width=16",
        "--set",
        field,
        "--steps",
        "3",
        "--quiet",
        "--out",
        folder.resolve(name).toString());
  }

  @Test
  void bothKindsOfLearningAreMeasured() throws IOException {
    Outcome trained = train("made", "data.labels=5");
    assertEquals(0, trained.code(), trained.err());
    Path run = folder.resolve("made");
    String text = well("eval", run.toString()).out();
    assertTrue(text.contains("in-context accuracy"), text);
    assertTrue(text.contains("in-weights accuracy"), text);
    assertEquals(text, well("eval", run.toString()).out());
    Outcome data = Outcome.of("eval", run.toString(), "--data", "other.zip");
    assertEquals(1, data.code());
    assertTrue(data.err().contains("leave out --data"), data.err());
    Files.delete(run.resolve("problem.json"));
    Outcome missing = Outcome.of("eval", run.toString());
    assertEquals(1, missing.code());
    assertTrue(missing.err().contains("problem.json is missing"), missing.err());
  }

  /** An adapter's folder says what it learned, which need not be what its model learned. */
  @Test
  void adaptersAreMeasuredOnTheirOwnData() {
    Outcome base = train("base", "data.exponent=0");
    assertEquals(0, base.code(), base.err());
    Outcome trained =
        Outcome.of(
            "train",
            "--task",
            "exemplars",
            "--from",
            folder.resolve("base").toString(),
            "--adapter",
            "lora",
            "--set",
            "data.heldOut=37",
            "--set",
            "data.dimension=8",
            "--steps",
            "3",
            "--quiet",
            "--out",
            folder.resolve("adapter").toString());
    assertEquals(0, trained.code(), trained.err());
    String text = well("eval", folder.resolve("adapter").toString()).out();
    assertTrue(text.contains("37 sequences of each kind"), text);
  }

  @Test
  void whatCannotBeIsRefused() {
    Outcome burstiness = train("a", "data.burstiness=2");
    assertEquals(1, burstiness.code());
    assertTrue(burstiness.err().contains("a probability from 0 to 1"), burstiness.err());
    Outcome field = train("b", "data.zipf=1");
    assertEquals(1, field.code());
    assertTrue(field.err().contains("data.zipf"), field.err());
  }
}
