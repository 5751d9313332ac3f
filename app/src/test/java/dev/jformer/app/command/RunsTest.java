package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code jformer runs}, and the report that a training ends with. */
class RunsTest {
  @TempDir Path folder;
  private Path text;

  @BeforeEach
  void text() throws IOException {
    text = folder.resolve("a <b> text.txt");
    Files.writeString(
        text, "All happy families are alike; each unhappy one is so in its way.\n".repeat(60));
  }

  private Outcome train(String name, String... more) {
    List<String> args = new ArrayList<>(List.of("train", "--data", "" + text));
    args.addAll(List.of("--out", folder.resolve("runs").resolve(name).toString()));
    args.addAll(List.of("--recipe", "shakespeare", "--steps", "20"));
    for (String set :
        List.of(
            "model.layers=1",
            "model.width=16",
            "model.mixer.heads=2",
            "model.length=16",
            "training.evaluateEvery=10",
            "training.schedule.warmup=2")) {
      args.addAll(List.of("--set", set));
    }
    args.addAll(List.of(more));
    return Outcome.of(args.toArray(String[]::new));
  }

  @Test
  void aTrainingEndsWithAReport() throws IOException {
    Outcome outcome = train("play", "--sample", "All <u>");
    assertEquals(0, outcome.code(), outcome.err());
    Path report = folder.resolve("runs/play/report.html");
    assertTrue(outcome.err().contains("report: " + report), outcome.err());
    String page = Files.readString(report);
    for (String part :
        List.of(
            "Losses",
            "Speed",
            "tokens/s",
            "Sample at step 10",
            "All &lt;u&gt;",
            "&quot;learningRate&quot;",
            "best validation loss",
            "a &lt;b&gt; text.txt")) {
      assertTrue(page.contains(part), part);
    }
    assertFalse(page.contains("<u>") || page.contains("<b>"), "texts are escaped");
    assertFalse(page.contains("NaN"), page);
  }

  @Test
  void runsAreListedLatestFirst() throws IOException {
    train("first", "--quiet");
    train("second", "--quiet");
    Path broken = Files.createDirectories(folder.resolve("runs/broken"));
    Files.writeString(broken.resolve("recipe.json"), "{\"model\":");
    String runs = folder.resolve("runs").toString();
    Outcome json = Outcome.of("runs", runs, "--json");
    assertEquals(0, json.code(), json.err());
    JsonNode list = new JsonMapper().readTree(json.out());
    assertEquals(2, list.size(), json.out());
    assertEquals(20, list.get(0).path("step").asInt());
    assertEquals("loss", list.get(0).path("metric").asText());
    assertTrue(list.get(0).path("best").asDouble() > 0);
    String table = Outcome.of("runs", runs).out();
    assertTrue(table.contains("20 of 20") && table.contains("a <b> text.txt"), table);
    Outcome none = Outcome.of("runs", folder.resolve("nowhere").toString());
    assertEquals(1, none.code());
    assertTrue(none.err().contains("is no folder"), none.err());
  }
}
