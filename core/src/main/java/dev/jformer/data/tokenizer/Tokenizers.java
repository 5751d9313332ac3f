package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import dev.jformer.io.MissingFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Loads tokenizers from model folders and files. */
public final class Tokenizers {
  private Tokenizers() {}

  /** The file with word pieces, one in each line, in BERT's older folders. */
  private static final String WORD_PIECES = "vocab.txt";

  private static final String SETTINGS = "tokenizer_config.json";

  /** Tokens that were added to {@link #WORD_PIECES}. */
  private static final String ADDED_TOKENS = "added_tokens.json";

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
   * {@code vocab.txt} with the tokens of {@code added_tokens.json}. A {@code tokenizer_config.json}
   * beside it is followed where it changes how texts are tokenized.
   *
   * @param path its file, or the folder that holds one, or an ONNX file in the same folder
   * @throws DataException if there is none or it cannot be used
   */
  public static Tokenizer load(Path path) {
    Path file = file(path);
    if (!Files.isRegularFile(file)) {
      throw new DataException(
          Files.exists(path)
              ? "no tokenizer at " + file + ": expected a Hugging Face tokenizer.json"
              : MissingFile.message(path));
    }
    try {
      JsonNode settings = json(file.resolveSibling(SETTINGS));
      return file.getFileName().toString().equals(WORD_PIECES)
          ? parse(
              TokenizerJson.wordPieces(
                  Files.readAllLines(file), settings, json(file.resolveSibling(ADDED_TOKENS))))
          : parse(Files.readAllBytes(file), settings);
    } catch (JsonProcessingException e) {
      throw new DataException(
          file + " is not valid JSON: " + FormatException.oneLine(e.getOriginalMessage()), e);
    } catch (IOException | RuntimeException e) {
      throw new DataException(
          "cannot use the tokenizer "
              + file
              + ": "
              + String.valueOf(e.getMessage()).replaceAll("\\p{Cntrl}", " "),
          e);
    }
  }

  private static JsonNode json(Path file) throws IOException {
    return Files.isRegularFile(file)
        ? new JsonMapper().readTree(Files.readAllBytes(file))
        : MissingNode.getInstance();
  }

  private static Tokenizer parse(byte[] json, JsonNode settings) throws IOException {
    JsonNode root = new JsonMapper().readTree(json);
    return root instanceof ObjectNode object && TokenizerSettings.apply(object, settings)
        ? parse((object.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8))
        : parse(json);
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
