package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import dev.jformer.io.gguf.GgufWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Writes a byte-level BPE tokenizer into a GGUF file: its {@code tokenizer.ggml.*}. */
public final class GgufTokenizerWriter {
  private static final String PREFIX = "tokenizer.ggml.";

  private GgufTokenizerWriter() {}

  /**
   * Adds a tokenizer to a file.
   *
   * @param size the model's vocabulary; ids without a token get one that no text is encoded as
   * @param ends the tokens that end a text
   * @throws DataException if GGUF has no form for the tokenizer
   */
  public static void write(
      Tokenizer tokenizer, int size, Collection<Integer> ends, GgufWriter out) {
    JsonNode root = tree(tokenizer);
    JsonNode model = root.path("model");
    if (!model.path("type").asText("BPE").equals("BPE")
        || model.path("byte_fallback").asBoolean()) {
      throw new DataException(
          "the tokenizer cannot be written into a GGUF file: expected byte-level BPE");
    }
    GgufPreTokenizer split = GgufPreTokenizer.of(root);
    String[] tokens = new String[size];
    int[] kinds = new int[size];
    Arrays.fill(kinds, GgufTokenKind.NORMAL);
    for (Map.Entry<String, JsonNode> entry : model.path("vocab").properties()) {
      tokens[entry.getValue().intValue()] = entry.getKey();
    }
    for (JsonNode added : root.path("added_tokens")) {
      String token = added.path("content").asText();
      int id = tokenizer.id(token).orElseThrow();
      tokens[id] = token;
      kinds[id] = added.path("special").asBoolean() ? GgufTokenKind.CONTROL : GgufTokenKind.USER;
    }
    for (int id = 0; id < size; id++) {
      if (tokens[id] == null) {
        tokens[id] = "[UNUSED" + id + "]";
        kinds[id] = GgufTokenKind.UNUSED;
      }
    }
    out.text(PREFIX + "model", "gpt2")
        .text(PREFIX + "pre", split.spelled())
        .strings(PREFIX + "tokens", List.of(tokens))
        .integers(PREFIX + "token_type", kinds)
        .strings(PREFIX + "merges", merges(model.path("merges")));
    putEnds(tokenizer, ends, out);
  }

  private static JsonNode tree(Tokenizer tokenizer) {
    try {
      return new JsonMapper().readTree(tokenizer.json());
    } catch (IOException e) {
      throw new DataException("the tokenizer is not valid JSON", e);
    }
  }

  private static List<String> merges(JsonNode merges) {
    List<String> pairs = new ArrayList<>();
    merges.forEach(
        merge ->
            pairs.add(
                merge.isTextual()
                    ? merge.asText()
                    : merge.path(0).asText() + " " + merge.path(1).asText()));
    return pairs;
  }

  private static void putEnds(Tokenizer tokenizer, Collection<Integer> ends, GgufWriter out) {
    int[] before = tokenizer.encodePrompt("");
    out.flag(PREFIX + "add_bos_token", before.length > 0);
    if (before.length > 0) {
      out.integer(PREFIX + "bos_token_id", before[0]);
    }
    List<Integer> all = List.copyOf(ends);
    if (!all.isEmpty()) {
      out.integer(PREFIX + "eos_token_id", all.get(0));
    }
    if (all.size() > 1) {
      out.integer(PREFIX + "eot_token_id", all.get(1));
    }
  }
}
