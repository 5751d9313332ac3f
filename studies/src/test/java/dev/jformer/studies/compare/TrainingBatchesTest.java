package dev.jformer.studies.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.prune.RandomPruning;
import dev.jformer.config.Configs;
import dev.jformer.model.Model;
import dev.jformer.run.Jobs;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Progress;
import dev.jformer.run.Recipe;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingBatchesTest {
  @TempDir private Path folder;

  /** Logits divided by a temperature are those of a model whose last layer is. */
  @Test
  void givesLossesAtAnyTemperature() throws Exception {
    Path text = Files.writeString(folder.resolve("a.txt"), "The cat sat on the mat. ".repeat(99));
    Recipe recipe =
        Configs.parse(
            ("{'data':{'type':'text','source':'%s'},'model':{'model':'causal-lm','layers':1,"
                    + "'width':16,'length':16,'tied':false,'mixer':{'heads':2}}}")
                .formatted(text)
                .replace('\'', '"'),
            Recipe.class);
    try (Scope scope = Scope.open();
        PreparedData data = Jobs.prepare(recipe, folder.resolve("run"), Progress.none());
        Model model = data.build(data.fit(recipe.model()), recipe)) {
      TrainingBatches batches = new TrainingBatches(data, recipe, 2);
      model.train(false);
      double plain = batches.loss(model).item();
      double hot = batches.loss(model, 200).item();
      assertEquals(plain, batches.loss(model, 1).item(), 0);
      assertNotEquals(plain, hot, 1e-3);
      RandomPruning grasp = new RandomPruning(0.5, RandomPruning.Ratios.GRASP, 1, 200, false);
      assertTrue(grasp.apply(model, batches).parameterCount() < model.parameterCount());
      try (Mode mode = Autograd.noGrad()) {
        model.parameters().get("head.weight").value().mul_(1 / 200.0);
      }
      assertEquals(hot, batches.loss(model).item(), 1e-6);
    }
  }
}
