package dev.jformer.app.command;

import static dev.jformer.app.command.Outcome.well;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that learn to act, from the command line. */
class DecisionsTest {
  @TempDir Path folder;

  private Outcome train(String name, String... fields) {
    String[] start = {
      "train",
      "--task",
      "decisions",
      "--set",
      "data.heldOut=20",
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
    String[] all = java.util.Arrays.copyOf(start, start.length + 2 * fields.length);
    for (int i = 0; i < fields.length; i++) {
      all[start.length + 2 * i] = "--set";
      all[start.length + 2 * i + 1] = fields[i];
    }
    return Outcome.of(all);
  }

  @Test
  void trainsAndActsBesidePolicies() throws IOException {
    Outcome trained =
        train("bandit", "data.problem={type: linear-bandit, dimension: 2, arms: 3, steps: 6}");
    assertEquals(0, trained.code(), trained.err());
    Path run = folder.resolve("bandit");
    String text = well("eval", run.toString()).out();
    assertTrue(text.contains("after actions: 1 2 4 6"), text);
    assertTrue(text.matches("(?s).*regret of model: (\\d+\\.\\d{3} ?){4}\\n.*"), text);
    assertTrue(text.matches("(?s).*regret of LinUCB: (\\d+\\.\\d{3} ?){4}\\n.*"), text);
    assertTrue(text.contains("regret of Thompson sampling"), text);
    assertEquals(text, well("eval", run.toString()).out());
    Files.delete(run.resolve("problem.json"));
    Outcome missing = Outcome.of("eval", run.toString());
    assertEquals(1, missing.code());
    assertTrue(missing.err().contains("problem.json is missing"), missing.err());
  }

  @Test
  void processesAreParts() {
    Outcome trained =
        train(
            "mdp",
            "data.problem={type: tabular-mdp, states: 2, actions: 2, horizon: 2, episodes: 3}",
            "data.behaviour=uniform",
            "data.labels=best",
            "model.mixer=lstm");
    assertEquals(0, trained.code(), trained.err());
    String text = well("eval", folder.resolve("mdp").toString()).out();
    assertTrue(text.contains("regret of UCB-VI"), text);
  }

  @Test
  void whatCannotBeIsRefused() {
    Outcome unknown = train("a", "data.problem=linear-bandits");
    assertEquals(1, unknown.code());
    assertTrue(unknown.err().contains("linear-bandit"), unknown.err());
    Outcome behaviour = train("b", "data.behaviour=LinUBC");
    assertEquals(1, behaviour.code());
    assertTrue(behaviour.err().contains("LinUCB"), behaviour.err());
    Outcome arms = train("c", "data.problem={type: linear-bandit, arms: 1}");
    assertEquals(1, arms.code());
    assertTrue(arms.err().contains("arms"), arms.err());
  }
}
