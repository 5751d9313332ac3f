package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.config.Configs;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs that compute blocks again have the losses of those that do not, to the bit. */
@ExtendWith(Scoped.class)
class RecomputationRunTest {
  @TempDir private Path folder;

  private List<Double> losses(Recipe recipe, String name) throws IOException {
    List<Double> losses = new ArrayList<>();
    Run.begin(recipe, folder.resolve(name), false)
        .train(
            new Progress() {
              @Override
              public void step(dev.jformer.train.Listener.Step step) {
                losses.add(step.loss());
              }
            });
    return losses;
  }

  @ParameterizedTest
  @ValueSource(strings = {"language", "consistency", "masked", "classify", "images", "translate"})
  void lossesAreTheSame(String kind) throws IOException {
    TinyData data = new TinyData(folder.resolve("data"));
    Recipe recipe = Configs.parse(data.json(kind), Recipe.class);
    assertEquals(
        losses(recipe, "plain"), losses(recipe.with("training.recompute", "true"), "again"));
  }
}
