package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.run.Recipe;
import dev.jformer.tensor.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class RecipesTest {
  @TempDir Path folder;

  private String error(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    return assertThrows(RuntimeException.class, () -> Recipes.load(file.toString(), Map.of()))
        .getMessage();
  }

  @Test
  void yamlIsReadLikeJson() throws IOException {
    Path yaml = folder.resolve("small.yaml");
    Files.writeString(yaml, "---\nmodel:\n  model: causal-lm\n  layers: 2\ntraining: {steps: 7}\n");
    assertEquals(7, Recipes.load(yaml.toString(), Map.of()).training().steps());
  }

  @Test
  void nothingInYamlIsDropped() throws IOException {
    String twice = error("twice.yaml", "training:\n  steps: 7\n  seed: 1\n  steps: 8\n");
    assertTrue(twice.contains("twice.yaml") && twice.contains("'steps'"), twice);
    assertTrue(twice.contains("line 4"), twice);
    String two = error("two.yml", "training: {steps: 7}\n---\ntraining: {steps: 8}\n");
    assertTrue(two.contains("more than one document"), two);
    String json = error("two.json", "{\"training\": {\"steps\": 7}} {}");
    assertTrue(json.contains("not valid JSON"), json);
    String broken = error("broken.yaml", "training: [1, 2\n");
    assertTrue(broken.contains("broken.yaml is not valid YAML"), broken);
    for (String nothing : List.of("", "# nothing\n", "a text", "[1, 2]")) {
      assertTrue(error("empty.yaml", nothing).contains("holds no recipe"), nothing);
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void pipesAndDevicesAreNotRecipes() {
    assertThrows(CommandException.class, () -> Recipes.load("/dev/zero", Map.of()));
  }

  /** The endings of the default recipe are those of the text that it comes with. */
  @Test
  void textOfUsersMayEndInAnything() throws IOException {
    Files.writeString(folder.resolve("a.txt"), "All that is gold does not glitter. ".repeat(400));
    Path run = folder.resolve("run");
    String[] small = {
      "--set", "model.layers=1", "--set", "model.width=16", "--set", "model.mixer.heads=2",
      "--set", "data.tokenizer=byte", "--set", "model.length=16", "--set", "data.validation=0.2"
    };
    List<String> command =
        new java.util.ArrayList<>(List.of("train", "--data", folder.toString(), "--steps", "1"));
    command.addAll(List.of("--out", run.toString(), "--quiet"));
    command.addAll(List.of(small));
    Outcome outcome = Outcome.of(command.toArray(String[]::new));
    assertEquals(0, outcome.code(), outcome.err());
    Recipe java = Recipes.load("java", Map.of());
    String kept = Recipes.withData("java", java, folder, List.of()).toString();
    assertTrue(kept.contains(".java"), "a recipe that is named keeps its endings: " + kept);
  }

  @Test
  void errorsSayWhereAndWhatIsNear() throws IOException {
    Path file = folder.resolve("bad.json");
    Files.writeString(file, "{\"model\": {\n  \"layers\": 3,}}");
    Outcome json = Outcome.of("train", "--recipe", file.toString());
    assertTrue(json.err().contains("bad.json: not valid JSON: line 2, column "), json.err());
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "All happy families are alike.\n".repeat(60));
    Outcome tokenizer =
        Outcome.of(
            "train",
            "--recipe",
            "shakespeare",
            "--data",
            text.toString(),
            "--out",
            folder.resolve("run").toString(),
            "--set",
            "data.tokenizer=bpee");
    assertTrue(
        tokenizer.err().contains("data.tokenizer is 'bpee'; did you mean 'bpe'?"), tokenizer.err());
    Outcome method = Outcome.of("compress", "x", "--with", "int8", "--out", "" + folder + "/y");
    assertTrue(method.err().contains("did you mean 'llm-int8' or 'weight-int8'?"), method.err());
  }

  @Test
  void aDeviceThatIsNotThereIsRefused() {
    Outcome missing = Outcome.of("info", "--device", "cuda:99");
    assertEquals(1, missing.code());
    assertTrue(missing.err().contains("there is no device cuda:99 here"), missing.err());
    Outcome unknown = Outcome.of("info", "--device", "tpu");
    assertTrue(unknown.err().contains("expected cpu, cuda, cuda:N or mps"), unknown.err());
    assertEquals(0, Outcome.of("info", "--device", "cpu").code());
  }

  @Test
  void threadsAreSetForAnyCommand() {
    int before = Engine.threads();
    try {
      Outcome outcome = Outcome.of("info", "--threads", "1", "--json");
      assertTrue(outcome.out().contains("\"threads\" : 1"), outcome.out());
      assertTrue(Outcome.of("info", "--threads", "0").err().contains("expected at least 1"));
    } finally {
      Engine.setThreads(before);
    }
  }
}
