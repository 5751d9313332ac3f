package dev.jformer.studies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReferenceModelsTest {
  @TempDir private Path folder;

  private final List<String> begun = new ArrayList<>();
  private int stopAfter = Integer.MAX_VALUE;
  private int updates;

  private final Watcher watcher =
      new Watcher() {
        @Override
        public void begin(String measurement) {
          begun.add(measurement);
          updates = 0;
        }

        @Override
        public void progress(String measurement, double done, String detail) {
          updates++;
          if (updates == stopAfter) {
            throw new IllegalStateException("killed");
          }
        }
      };

  private ReferenceModels models() {
    return new ReferenceModels(folder, Scale.SMOKE, watcher);
  }

  @ParameterizedTest
  @EnumSource
  void areTrainedOnceAndKept(ReferenceModels.Name name) throws IOException {
    Path first = models().folder(name);
    try (Model model = Models.load(first)) {
      assertTrue(model.parameterCount() > 0);
    }
    assertEquals(1, begun.size());
    assertEquals(first, models().folder(name));
    assertEquals(1, begun.size(), "what is kept is not trained again");
    try (Stream<Path> left = Files.list(first.getParent())) {
      assertEquals(
          List.of(first.getFileName().toString()),
          left.map(p -> p.getFileName().toString()).filter(n -> !n.endsWith(".lock")).toList());
    }
    assertFalse(Files.exists(first.resolve("checkpoints")));
    // Another recipe makes another model.
    Files.writeString(first.resolve("reference-recipe.json"), "{}");
    models().folder(name);
    assertEquals(2, begun.size());
  }

  @Test
  void anInterruptedTrainingGoesOn() throws IOException {
    Path whole = models().folder(ReferenceModels.Name.SHAKESPEARE);
    assertEquals(4, updates);
    byte[] expected = Files.readAllBytes(whole.resolve("model.safetensors"));
    Files.writeString(whole.resolve("reference-recipe.json"), "{}");
    stopAfter = 3;
    assertThrows(
        IllegalStateException.class, () -> models().folder(ReferenceModels.Name.SHAKESPEARE));
    stopAfter = Integer.MAX_VALUE;
    Path again = models().folder(ReferenceModels.Name.SHAKESPEARE);
    assertEquals(2, updates, "the updates after the last checkpoint");
    assertEquals(
        List.of(expected.length),
        List.of(Files.readAllBytes(again.resolve("model.safetensors")).length));
    assertTrue(
        java.util.Arrays.equals(expected, Files.readAllBytes(again.resolve("model.safetensors"))));
  }
}
