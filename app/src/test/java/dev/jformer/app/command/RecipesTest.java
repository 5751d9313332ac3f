package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.run.Recipe;
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
}
