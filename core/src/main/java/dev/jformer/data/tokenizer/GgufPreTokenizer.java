package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import java.util.Arrays;
import java.util.stream.Collectors;

/** How a byte-level tokenizer of GGUF splits texts into words: {@code tokenizer.ggml.pre}. */
enum GgufPreTokenizer {
  /** GPT-2's words. */
  GPT2("gpt-2", "gpt-2"),

  /** Each digit for itself, then GPT-2's words. */
  SMOLLM("smollm", "smollm"),

  /** Llama 3's words. */
  LLAMA3("llama-bpe", "llama-bpe llama-v3 llama3"),

  /** The words of Qwen 2, which normalizes texts first. */
  QWEN2("qwen2", "qwen2");

  private static final JsonMapper JSON = new JsonMapper();

  /** The common end of Llama 3's and Qwen 2's expressions; only the number of digits differs. */
  private static final String WORDS =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}%s"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private final String spelled;
  private final String names;

  GgufPreTokenizer(String spelled, String names) {
    this.spelled = spelled;
    this.names = names;
  }

  /** The name in files. */
  String spelled() {
    return spelled;
  }

  /**
   * The pre-tokenizer with this name.
   *
   * @throws DataException if it is not supported
   */
  static GgufPreTokenizer named(String name) {
    return Arrays.stream(values())
        .filter(split -> Arrays.asList(split.names.split(" ")).contains(name))
        .findFirst()
        .orElseThrow(
            () ->
                new DataException(
                    "tokenizer.ggml.pre is "
                        + FormatException.quote(name)
                        + ", which is not supported: only "
                        + Arrays.stream(values())
                            .map(GgufPreTokenizer::spelled)
                            .collect(Collectors.joining(", "))
                        + " are"));
  }

  /**
   * The pre-tokenizer of a {@code tokenizer.json}.
   *
   * @throws DataException if it splits texts in a way that has no name in GGUF
   */
  static GgufPreTokenizer of(JsonNode root) {
    String splits = spelled(root.path("pre_tokenizer"));
    boolean normalized = root.path("normalizer").isObject();
    return Arrays.stream(values())
        .filter(split -> spelled(split.preTokenizer()).equals(splits))
        .filter(split -> (split.normalizer() != null) == normalized)
        .filter(split -> !normalized || split.normalizer().equals(root.get("normalizer")))
        .findFirst()
        .orElseThrow(
            () ->
                new DataException(
                    "the tokenizer cannot be written into a GGUF file: it splits texts in another"
                        + " way than "
                        + Arrays.stream(values())
                            .map(GgufPreTokenizer::spelled)
                            .collect(Collectors.joining(", "))));
  }

  /** What a pre-tokenizer does, without fields that do not matter here. */
  private static String spelled(JsonNode node) {
    return switch (node.path("type").asText()) {
      case "Sequence" -> {
        StringBuilder parts = new StringBuilder();
        node.path("pretokenizers").forEach(part -> parts.append(spelled(part)).append('\n'));
        yield parts.toString();
      }
      case "ByteLevel" ->
          "bytes "
              + node.path("add_prefix_space").asBoolean(true)
              + node.path("use_regex").asBoolean(true);
      case "Digits" -> "digits " + node.path("individual_digits").asBoolean(false);
      case "Split" ->
          "split "
              + node.path("pattern").path("Regex").asText()
              + node.path("behavior").asText()
              + node.path("invert").asBoolean(false);
      default -> node.toString();
    };
  }

  /** The {@code normalizer} of the {@code tokenizer.json}; null for none. */
  ObjectNode normalizer() {
    return this == QWEN2 ? JSON.createObjectNode().put("type", "NFC") : null;
  }

  /** The {@code pre_tokenizer} of the {@code tokenizer.json}. */
  ObjectNode preTokenizer() {
    return switch (this) {
      case GPT2 -> byteLevel(true);
      case SMOLLM ->
          sequence(
              JSON.createObjectNode().put("type", "Digits").put("individual_digits", true), true);
      case LLAMA3 -> sequence(split(String.format(WORDS, "{1,3}")), false);
      case QWEN2 -> sequence(split(String.format(WORDS, "")), false);
    };
  }

  private static ObjectNode sequence(ObjectNode first, boolean words) {
    ObjectNode sequence = JSON.createObjectNode().put("type", "Sequence");
    ArrayNode parts = sequence.putArray("pretokenizers");
    parts.add(first).add(byteLevel(words));
    return sequence;
  }

  private static ObjectNode split(String expression) {
    ObjectNode split = JSON.createObjectNode().put("type", "Split");
    split.putObject("pattern").put("Regex", expression);
    return split.put("behavior", "Isolated").put("invert", false);
  }

  /** The part that spells bytes as characters, and splits into GPT-2's words if asked to. */
  static ObjectNode byteLevel(boolean words) {
    return JSON.createObjectNode()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", words);
  }

  /** Whether words of the vocabulary are not made by merges. */
  boolean wholeWords() {
    return this == LLAMA3;
  }

  /** Whether texts begin with a token for that, if the file does not say. */
  boolean beginsTexts() {
    return this == LLAMA3;
  }
}
