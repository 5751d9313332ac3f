package dev.jformer.hub;

import dev.jformer.io.FormatException;
import dev.jformer.io.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** The names of the tensors in a model's folder. */
final class SafetensorsNames {
  private SafetensorsNames() {}

  /** The names; empty if the model is in another format. */
  static Set<String> in(Path model) throws IOException {
    if (!Files.isDirectory(model)) {
      return Set.of();
    }
    try (Weights weights = Weights.open(model)) {
      return Set.copyOf(weights.names());
    } catch (IOException | FormatException e) {
      return Set.of();
    }
  }
}
