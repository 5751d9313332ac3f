package dev.jformer.studies.trial;

import dev.jformer.hub.Models;
import dev.jformer.io.FileTree;
import dev.jformer.model.Model;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The size of a model's file of weights, as it is saved. */
public final class StoredSize {
  private StoredSize() {}

  /** Bytes of the file. */
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
