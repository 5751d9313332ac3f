package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.jformer.data.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Loads tokenizers from model folders and files. */
public final class Tokenizers {
  private Tokenizers() {}

  /** The file with word pieces, one in each line, in BERT's older folders. */
  private static final String WORD_PIECES = "vocab.txt";

  private static final String SETTINGS = "tokenizer_config.json";

  /** Whether {@link #load} finds a tokenizer at a path. */
  public static boolean exists(Path path) {
    return Files.isRegularFile(file(path));
  }

  /** The file that holds a model's tokenizer. */
  private static Path file(Path path) {
    Path folder = path.toString().endsWith(".onnx") ? path.toAbsolutePath().getParent() : path;
    if (!Files.isDirectory(folder)) {
      return folder;
    }
    Path json = folder.resolve(Tokenizer.FILE);
    Path pieces = folder.resolve(WORD_PIECES);
    return !Files.exists(json) && Files.exists(pieces) ? pieces : json;
  }

  /**
   * Loads a tokenizer: a {@code tokenizer.json}, or in a folder without one BERT's word pieces in a
   * {@code vocab.txt}.
   *
   * @param path its file, or the folder that holds one, or an ONNX file in the same folder
   * @throws DataException if there is none or it cannot be used
   */
  public static Tokenizer load(Path path) {
    Path file = file(path);
    if (!Files.isRegularFile(file)) {
      throw new DataException(
          "no tokenizer at " + file + ": expected a Hugging Face tokenizer.json");
    }
    try {
      return parse(
          file.getFileName().toString().equals(WORD_PIECES)
              ? wordPieces(file)
              : Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new DataException(file + " is not valid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException | RuntimeException e) {
      throw new DataException("cannot use the tokenizer " + file + ": " + e.getMessage(), e);
    }
  }

  private static byte[] wordPieces(Path file) throws IOException {
    Path settings = file.resolveSibling(SETTINGS);
    JsonNode tree =
        Files.exists(settings)
            ? new JsonMapper().readTree(Files.readAllBytes(settings))
            : MissingNode.getInstance();
    return TokenizerJson.wordPieces(Files.readAllLines(file), tree);
  }

  static Tokenizer parse(byte[] json) throws IOException {
    JsonNode root = new JsonMapper().readTree(json);
    if (!root.path("model").isObject()) {
      throw new IOException("it has no object 'model'");
    }
    return TokenizerJson.isByteTokenizer(root)
        ? new ByteTokenizer()
        : new SubwordTokenizer(json, root);
  }
}
