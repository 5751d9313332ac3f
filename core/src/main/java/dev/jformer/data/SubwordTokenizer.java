package dev.jformer.data;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Any tokenizer that Hugging Face's tokenizers library can run, from its {@code tokenizer.json}.
 */
final class SubwordTokenizer implements Tokenizer {
  private static final List<String> END_OF_TEXT =
      List.of("<|endoftext|>", "</s>", "<|end_of_text|>", "<|eot_id|>", "<eos>");

  static {
    // Tokenizing needs no network: the library would otherwise report its use and look for other
    // builds of itself.
    System.setProperty("OPT_OUT_TRACKING", "true");
    System.setProperty("ai.djl.offline", "true");
    if (System.getenv("RUST_FLAVOR") == null && System.getProperty("RUST_FLAVOR") == null) {
      System.setProperty("RUST_FLAVOR", "cpu");
    }
  }

  private final byte[] json;
  private final HuggingFaceTokenizer tokenizer;
  private final int vocabularySize;
  private final OptionalInt endOfText;

  SubwordTokenizer(byte[] json, JsonNode root) throws IOException {
    this.json = json;
    this.tokenizer =
        HuggingFaceTokenizer.newInstance(
            new ByteArrayInputStream(json),
            Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "false"));
    int largest = -1;
    OptionalInt end = OptionalInt.empty();
    JsonNode vocab = root.path("model").path("vocab");
    if (vocab.isArray()) {
      largest = vocab.size() - 1; // unigram models list their pieces
    } else {
      for (JsonNode id : vocab) {
        largest = Math.max(largest, id.asInt());
      }
    }
    for (JsonNode added : root.path("added_tokens")) {
      largest = Math.max(largest, added.path("id").asInt());
      if (end.isEmpty() && END_OF_TEXT.contains(added.path("content").asText())) {
        end = OptionalInt.of(added.path("id").asInt());
      }
    }
    this.vocabularySize = largest + 1;
    this.endOfText = end;
  }

  @Override
  public int[] encode(String text) {
    return Arrays.stream(tokenizer.encode(text, false, false).getIds())
        .mapToInt(Math::toIntExact)
        .toArray();
  }

  @Override
  public String decode(int[] ids) {
    return ids.length == 0
        ? ""
        : tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), false);
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public OptionalInt endOfText() {
    return endOfText;
  }

  @Override
  public byte[] json() {
    return json.clone();
  }
}
