package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.data.tokenizer.Tokenizer;
import java.util.Collection;
import java.util.List;
import java.util.OptionalInt;

/**
 * The files that transformers needs beside a model and its {@code tokenizer.json}. Without them it
 * takes the tokenizer class of the model's family, which adds tokens of its own, and its own idea
 * of where a text ends.
 *
 * @param tokenizer null if the model has no text
 * @param ends the tokens that end a text
 * @param length the most tokens that the model reads
 */
record TransformersFiles(Tokenizer tokenizer, Collection<Integer> ends, int length) {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final String BEGIN = "bos_token";
  private static final String END = "eos_token";

  /** Puts the tokens that begin and end a text, as transformers names them; null for none. */
  void putEnds(ObjectNode config) {
    OptionalInt begin = begin();
    config.put(BEGIN + "_id", begin.isPresent() ? (Integer) begin.getAsInt() : null);
    if (ends.size() > 1) {
      ends.forEach(config.putArray(StopTokens.FIELD)::add);
    } else {
      config.put(StopTokens.FIELD, ends.isEmpty() ? null : ends.iterator().next());
    }
  }

  /**
   * The token before a text: the tokenizer's, or else the one that ends texts, because it stands
   * between the documents that models are trained on.
   */
  private OptionalInt begin() {
    int[] before = tokenizer == null ? new int[0] : tokenizer.encodePrompt("");
    if (before.length > 0) {
      return OptionalInt.of(before[0]);
    }
    return ends.stream().mapToInt(Integer::intValue).findFirst();
  }

  /** The content of {@code generation_config.json}. */
  ObjectNode generation() {
    ObjectNode config = JSON.objectNode();
    putEnds(config);
    config.put("pad_token_id", ends.isEmpty() ? null : ends.iterator().next());
    return config;
  }

  /** The content of {@code tokenizer_config.json}. */
  ObjectNode tokenizerConfig() {
    ObjectNode config = JSON.objectNode();
    config.put("tokenizer_class", "PreTrainedTokenizerFast"); // what tokenizer.json says, no more
    config.put("model_max_length", length);
    config.put("clean_up_tokenization_spaces", false);
    // Others would ask for the types of tokens, which these models do not have.
    List.of("input_ids", "attention_mask").forEach(config.putArray("model_input_names")::add);
    begin().ifPresent(id -> putToken(config, BEGIN, id));
    ends.stream()
        .findFirst()
        .ifPresent(
            id -> {
              putToken(config, END, id);
              putToken(config, "pad_token", id);
            });
    return config;
  }

  private void putToken(ObjectNode config, String field, int id) {
    String token = tokenizer.decode(new int[] {id});
    if (tokenizer.id(token).orElse(-1) == id) {
      config.put(field, token);
    }
  }
}
