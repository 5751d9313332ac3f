package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.compress.prune.Masks;
import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.io.FileTree;
import dev.jformer.model.Model;
import dev.jformer.run.Recipe;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code jformer tickets} as a user gives it. */
class TicketsTest {
  @TempDir Path folder;

  private static Outcome outcome(int code, Object... args) {
    Outcome outcome = Outcome.of(Arrays.stream(args).map(Object::toString).toArray(String[]::new));
    assertEquals(code, outcome.code(), Arrays.toString(args) + ": " + outcome.err());
    return outcome;
  }

  private Path run() throws Exception {
    Path text = folder.resolve("text.txt");
    Files.writeString(
        text, "All happy families are alike; each unhappy one is so in its way.\n".repeat(60));
    Path run = folder.resolve("run");
    outcome(
        0,
        "train",
        "--recipe",
        "shakespeare",
        "--data",
        text,
        "--out",
        run,
        "--quiet",
        "--json",
        "--steps",
        "12",
        "--set",
        "training.schedule.warmup=2",
        "--set",
        "training.evaluateEvery=4",
        "--set",
        "model.layers=1",
        "--set",
        "model.width=32",
        "--set",
        "model.mixer.heads=2",
        "--set",
        "model.length=32");
    return run;
  }

  @Test
  void findsTicketsRoundByRound() throws Exception {
    Path run = run();
    String[] args = {"tickets", run.toString(), "--rate", "0.5", "--quiet", "--json", "--rounds"};
    JsonNode rows = new JsonMapper().readTree(outcome(0, with(args, "2")).out());
    Path out = folder.resolve("run-tickets");
    assertEquals(3, rows.size());
    double[] densities = {1, 0.5, 0.25};
    for (int round = 0; round < 3; round++) {
      assertEquals(densities[round], rows.get(round).path("density").asDouble());
      assertTrue(rows.get(round).path("loss").asDouble() > 0);
    }
    try (Scope scope = Scope.open();
        Model first = Models.load(out.resolve("round-1"));
        Model second = Models.load(out.resolve("round-2"));
        Model ticket = Models.load(out.resolve("ticket-2"))) {
      assertEquals(0.25, Masks.of(second).density(), 1e-3);
      beganWith(run, ticket);
      Masks.of(second)
          .kept()
          .forEach(
              (name, mask) -> {
                Tensor outside = mask.and(Masks.of(first).kept().get(name).not());
                assertTrue(!outside.any(), "what is left of " + name + " was left before");
                assertTrue(mask.eq(Masks.of(ticket).kept().get(name)).all(), "a mask holds");
              });
    }
    // Nothing is done twice, and more rounds go on from there.
    FileTime time = Files.getLastModifiedTime(out.resolve("round-2/model.safetensors"));
    JsonNode more = new JsonMapper().readTree(outcome(0, with(args, "3")).out());
    assertEquals(time, Files.getLastModifiedTime(out.resolve("round-2/model.safetensors")));
    assertEquals(rows.get(2), more.get(2));
    assertEquals(0.125, more.get(3).path("density").asDouble());
    assertEquals(rows, new JsonMapper().readTree(outcome(0, with(args, "2")).out()));
    String err = outcome(1, "tickets", run, "--rate", "0.2").err();
    assertTrue(err.contains("with --rate 0.5 --reach global"), err);
  }

  private static Object[] with(String[] args, String last) {
    Object[] all = Arrays.copyOf(args, args.length + 1, Object[].class);
    all[args.length] = last;
    return all;
  }

  /** What stays has the values that the run's seed gives. */
  private static void beganWith(Path run, Model ticket) {
    Recipe recipe = Configs.read(run.resolve("recipe.json"), Recipe.class);
    Random.seed(recipe.training().seed());
    try (Model start = Configs.read(run.resolve("config.json"), Model.Config.class).build()) {
      Masks.weights(ticket)
          .forEach(
              (name, weight) -> {
                Tensor mask = Masks.of(ticket).kept().get(name).to(DType.FLOAT32);
                Tensor first = start.parameters().get(name + ".weight").value().detach();
                assertTrue(weight.sameAs(first.mul(mask)), name);
              });
    }
  }

  /** A round that was cut off goes on, and ends as it would have. */
  @Test
  void goesOnWhereItWas() throws Exception {
    Path run = run();
    Path out = folder.resolve("cut");
    JsonNode whole =
        new JsonMapper()
            .readTree(
                outcome(
                        0,
                        "tickets",
                        run,
                        "--rounds",
                        "1",
                        "--out",
                        folder.resolve("whole"),
                        "--quiet",
                        "--json")
                    .out());
    outcome(0, "tickets", run, "--rounds", "1", "--out", out, "--quiet");
    Files.delete(out.resolve("tickets.json")); // as if killed before it was told
    FileTree.delete(out.resolve("round-1/checkpoints"));
    JsonNode again =
        new JsonMapper()
            .readTree(
                outcome(0, "tickets", run, "--rounds", "1", "--out", out, "--quiet", "--json")
                    .out());
    assertEquals(whole.get(1).path("loss"), again.get(1).path("loss"));
  }

  @Test
  void refusesWhatIsNoRun() {
    String err = outcome(1, "tickets", folder.resolve("nothing")).err();
    assertTrue(err.contains("holds no run"), err);
    err = outcome(1, "tickets", folder, "--rate", "2").err();
    assertTrue(err.contains("a rate in (0, 1)"), err);
  }
}
