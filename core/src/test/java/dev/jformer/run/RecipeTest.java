package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.ConfigException;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.train.Listener;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class RecipeTest {
  @Test
  void everyNamedRecipeHasAJob() {
    for (String name : Recipe.names()) {
      Recipe recipe = Recipe.named(name);
      assertTrue(Jobs.of(recipe).trains(recipe.data(), recipe.model()), name);
    }
    String message =
        assertThrows(ConfigException.class, () -> Recipe.named("shakespear")).getMessage();
    assertTrue(message.contains("'shakespear'; did you mean 'shakespeare'?"), message);
  }

  @Test
  void partsAreSetOneByOne() {
    Recipe recipe =
        Recipe.named("shakespeare")
            .withData(Path.of("input.txt"))
            .withSteps(300)
            .withSeed(7)
            .with("model.layers", "6")
            .withFrom(Path.of("runs/before"));
    assertEquals(Path.of("input.txt").toAbsolutePath().toString(), recipe.data().source());
    assertEquals(300, recipe.training().steps());
    assertEquals(300 / 8, recipe.training().evaluateEvery(), "as often as before");
    assertEquals(7, recipe.training().seed());
    assertEquals(6, assertInstanceOf(CausalLm.Config.class, recipe.model()).layers());
    assertEquals(Path.of("runs/before").toAbsolutePath().toString(), recipe.from());
  }

  @Test
  void aModelThatDoesNotFitItsDataIsRefused() {
    Recipe wrong = Recipe.named("shakespeare").withData(new ImageData());
    String message = assertThrows(RunException.class, () -> Jobs.of(wrong)).getMessage();
    assertTrue(message.startsWith("a causal-lm model cannot be trained on images"), message);
  }

  @Test
  void progressIsShownAsLines() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    TextProgress progress = new TextProgress(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    progress.remark("a remark");
    progress.begun(
        new RunDescription(
            "language-modelling",
            "a model",
            12,
            new DataSummary("x", "tokens", 90, 10, ""),
            "",
            0));
    progress.evaluation(new Listener.Evaluation(5, Metrics.ofLoss(1.5, "nats"), 1.5, 1));
    String[] lines = bytes.toString(StandardCharsets.UTF_8).split("\\R", -1);
    assertEquals("a remark", lines[0]);
    assertEquals("a model", lines[1]);
    assertEquals("90 tokens to train on, 10 held out", lines[2]);
    assertEquals("step 5: loss 1.5000 nats (the best so far)", lines[3]);
  }
}
