package dev.jformer.studies.trial;

import dev.jformer.hub.Models;
import dev.jformer.io.TemporaryFolder;
import dev.jformer.model.Model;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;

/** Measures the size of a model's weights on disk. */
public final class StoredSize {
  private StoredSize() {}

  /** Returns the size of the weights file in bytes. */
  public static long bytes(Model model) {
    try (TemporaryFolder folder = TemporaryFolder.create("model")) {
      Models.save(model, folder.path());
      return Files.size(folder.path().resolve("model.safetensors"));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save a model to measure its file", e);
    }
  }
}
