package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.model.Model;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.nio.file.Path;

/** Models in GGUF files, the format of llama.cpp. */
final class Gguf {
  static final String ARCHITECTURE = "general.architecture";

  private Gguf() {}

  /** Loads a model; see {@link Models#load}. */
  static Model load(Path path) throws IOException {
    try (Scope scope = Scope.open();
        GgufFile file = GgufFile.open(path)) {
      GgufArchitecture architecture = GgufArchitecture.named(file.metadata().text(ARCHITECTURE));
      ObjectNode config = architecture.config(file);
      GgufWeights weights =
          new GgufWeights(
              file, architecture.names(), name -> architecture.interleavedHeads(config, name));
      return HuggingFace.load(path, config, weights);
    } catch (ConfigException | IllegalArgumentException e) {
      throw new ConfigException(path + ": " + e.getMessage(), e);
    } catch (FormatException e) {
      String message = String.valueOf(e.getMessage());
      throw message.startsWith(path.toString()) ? e : new FormatException(path + ": " + message, e);
    }
  }
}
