package dev.jformer.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Loads tokenizers. */
public final class Tokenizers {
  private Tokenizers() {}

  /**
   * Loads a tokenizer from a {@code tokenizer.json}, or the folder that holds one.
   *
   * @throws DataException if there is none or it cannot be used
   */
  public static Tokenizer load(Path path) {
    Path file = Files.isDirectory(path) ? path.resolve(Tokenizer.FILE) : path;
    if (!Files.isRegularFile(file)) {
      throw new DataException(
          "no tokenizer at " + file + ": expected a Hugging Face tokenizer.json");
    }
    try {
      return parse(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new DataException(file + " is no valid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException | RuntimeException e) {
      throw new DataException("cannot use the tokenizer " + file + ": " + e.getMessage(), e);
    }
  }

  static Tokenizer parse(byte[] json) throws IOException {
    JsonNode root = new JsonMapper().readTree(json);
    if (!root.path("model").isObject()) {
      throw new IOException("it has no 'model'");
    }
    return TokenizerJson.isByteTokenizer(root)
        ? new ByteTokenizer()
        : new SubwordTokenizer(json, root);
  }
}
