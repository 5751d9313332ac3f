package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.RegularFile;
import dev.jformer.data.DataException;
import dev.jformer.io.AdapterPlace;
import dev.jformer.io.FormatException;
import dev.jformer.io.MissingFile;
import dev.jformer.io.gguf.GgufFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Loads tokenizers from model folders and files. */
public final class Tokenizers {
  private Tokenizers() {}

  /** The file with word pieces, one in each line, in BERT's older folders. */
  private static final String WORD_PIECES = "vocab.txt";

  /** The file with ids by token of byte-level BPE in older folders, beside {@link #MERGES}. */
  private static final String BYTE_PAIRS = "vocab.json";

  private static final String MERGES = "merges.txt";

  /** The largest tokenizers have some 35 MB. */
  private static final long LONGEST = 256L << 20;

  private static final JsonMapper JSON = new JsonMapper();

  private static final String SETTINGS = "tokenizer_config.json";

  /** Tokens that were added to {@link #WORD_PIECES}. */
  private static final String ADDED_TOKENS = "added_tokens.json";

  /** Whether {@link #load} finds a tokenizer at a path. */
  public static boolean exists(Path path) {
    return Files.isRegularFile(file(path)) && !(GgufFile.isNamed(path) && isWithout(path));
  }

  /** Whether a GGUF file is sound and has no tokenizer. */
  private static boolean isWithout(Path file) {
    try (GgufFile gguf = GgufFile.open(file)) {
      return !GgufTokenizer.exists(gguf.metadata());
    } catch (IOException | FormatException e) {
      return false; // loading it tells what is wrong
    }
  }

  /** The file that holds a model's tokenizer. */
  private static Path file(Path path) {
    Path folder = path.toString().endsWith(".onnx") ? path.toAbsolutePath().getParent() : path;
    if (!Files.isDirectory(folder)) {
      return folder;
    }
    Path json = folder.resolve(Tokenizer.FILE);
    Path pieces = folder.resolve(WORD_PIECES);
    Path pairs = folder.resolve(BYTE_PAIRS);
    if (!Files.exists(json) && Files.exists(pairs) && Files.exists(folder.resolve(MERGES))) {
      return pairs;
    }
    if (!Files.exists(json) && !Files.exists(pieces) && AdapterPlace.is(folder)) {
      return AdapterPlace.base(folder).map(Tokenizers::file).orElse(json);
    }
    return !Files.exists(json) && Files.exists(pieces) ? pieces : json;
  }

  /**
   * Loads a tokenizer: a {@code tokenizer.json}, or in a folder without one the {@code vocab.json}
   * and {@code merges.txt} of GPT-2, or BERT's word pieces in a {@code vocab.txt}, with the tokens
   * of {@code added_tokens.json}. A {@code tokenizer_config.json} beside it is followed where it
   * changes how texts are tokenized. An adapter without one has that of its model.
   *
   * @param path its file, or the folder that holds one, or an ONNX file in the same folder, or a
   *     GGUF file
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
      if (GgufFile.isNamed(file)) {
        try (GgufFile gguf = GgufFile.open(file)) {
          return parse(GgufTokenizer.json(gguf.metadata()));
        }
      }
      JsonNode settings = tree(file.resolveSibling(SETTINGS));
      JsonNode added = tree(file.resolveSibling(ADDED_TOKENS));
      return switch (file.getFileName().toString()) {
        case WORD_PIECES ->
            parse(TokenizerJson.wordPieces(Files.readAllLines(file), settings, added));
        case BYTE_PAIRS ->
            parse(TokenizerJson.bytePairs(tree(file), merges(file), settings, added));
        default -> parse(bytes(file), settings);
      };
    } catch (JsonProcessingException e) {
      throw notJson(file, e);
    } catch (IOException | RuntimeException e) {
      throw new DataException(
          "cannot use the tokenizer "
              + file
              + ": "
              + String.valueOf(e.getMessage()).replaceAll("\\p{Cntrl}", " "),
          e);
    }
  }

  private static DataException notJson(Path file, JsonProcessingException e) {
    return new DataException(
        file + " is not valid JSON: " + FormatException.oneLine(e.getOriginalMessage()), e);
  }

  private static List<String> merges(Path vocabulary) throws IOException {
    Path file = RegularFile.check(vocabulary.resolveSibling(MERGES));
    return new String(bytes(file), StandardCharsets.UTF_8).lines().toList();
  }

  private static byte[] bytes(Path file) throws IOException {
    if (Files.size(file) > LONGEST) {
      throw new DataException("it has " + Files.size(file) + " bytes: expected at most " + LONGEST);
    }
    return Files.readAllBytes(file);
  }

  /** The content of a file beside a tokenizer; missing if there is none. */
  private static JsonNode tree(Path file) throws IOException {
    try {
      return Files.isRegularFile(file) ? JSON.readTree(bytes(file)) : MissingNode.getInstance();
    } catch (JsonProcessingException e) {
      throw notJson(file, e);
    }
  }

  static Tokenizer parse(byte[] json) throws IOException {
    return parse(json, MissingNode.getInstance());
  }

  private static Tokenizer parse(byte[] json, JsonNode settings) throws IOException {
    JsonNode root = JSON.readTree(json);
    if (!(root instanceof ObjectNode object) || !root.path("model").isObject()) {
      throw new IOException("it has no object 'model'");
    }
    if (TokenizerJson.isByteTokenizer(root)) {
      return new ByteTokenizer();
    }
    boolean changed = TokenizerSettings.apply(object, settings);
    return new SubwordTokenizer(
        changed ? (root.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8) : json, root);
  }
}
