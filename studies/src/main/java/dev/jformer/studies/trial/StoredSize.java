package dev.jformer.studies.trial;

import dev.jformer.hub.Models;
import dev.jformer.io.FileTree;
import dev.jformer.model.Model;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Measures the size of a model's weights on disk. */
public final class StoredSize {
  private StoredSize() {}

  /** Returns the size of the weights file in bytes. */
  public static long bytes(Model model) {
    try {
      Path folder = Files.createTempDirectory("jformer-model");
      try {
        Models.save(model, folder);
        return Files.size(folder.resolve("model.safetensors"));
      } finally {
        FileTree.delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save a model to measure its file", e);
    }
  }
}
