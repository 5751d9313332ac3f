package dev.jformer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Writes byte-level BPE tokenizers in the format of Hugging Face's {@code tokenizer.json}. */
final class TokenizerJson {
  private static final JsonMapper JSON = new JsonMapper();

  private TokenizerJson() {}

  /**
   * The file's content.
   *
   * @param vocabulary ids by token, tokens spelled in the {@link ByteAlphabet}
   * @param merges pairs of tokens, separated by a space, in order of priority
   * @param special tokens that stand for themselves in no text; also in the vocabulary
   */
  static byte[] write(Map<String, Integer> vocabulary, List<String> merges, List<String> special) {
    ObjectNode root = JSON.createObjectNode();
    root.put("version", "1.0");
    root.putNull("truncation");
    root.putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    for (String token : special) {
      ObjectNode entry = added.addObject();
      entry.put("id", vocabulary.get(token));
      entry.put("content", token);
      for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
        entry.put(flag, false);
      }
      entry.put("special", true);
    }
    root.putNull("normalizer");
    byteLevel(root.putObject("pre_tokenizer")).put("use_regex", true);
    root.putNull("post_processor");
    byteLevel(root.putObject("decoder")).put("use_regex", true);
    ObjectNode model = root.putObject("model");
    model.put("type", "BPE");
    for (String absent :
        List.of("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")) {
      model.putNull(absent);
    }
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.put("ignore_merges", false);
    ObjectNode vocab = model.putObject("vocab");
    vocabulary.entrySet().stream()
        .sorted(Map.Entry.comparingByValue())
        .forEach(entry -> vocab.put(entry.getKey(), entry.getValue()));
    ArrayNode list = model.putArray("merges");
    merges.forEach(list::add);
    return (root.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static ObjectNode byteLevel(ObjectNode node) {
    return node.put("type", "ByteLevel").put("add_prefix_space", false).put("trim_offsets", true);
  }

  /**
   * Whether a tokenizer is {@link ByteTokenizer}'s: 256 bytes that are their own ids, and no
   * merges.
   */
  static boolean isByteTokenizer(JsonNode root) {
    JsonNode vocab = root.path("model").path("vocab");
    if (vocab.size() != 256
        || !root.path("model").path("merges").isEmpty()
        || !root.path("added_tokens").isEmpty()) {
      return false;
    }
    for (int b = 0; b < 256; b++) {
      if (vocab.path(String.valueOf(ByteAlphabet.character(b))).asInt(-1) != b) {
        return false;
      }
    }
    return true;
  }
}
