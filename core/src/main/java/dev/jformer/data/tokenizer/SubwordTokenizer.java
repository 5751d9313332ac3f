package dev.jformer.data.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.tensor.NativeCache;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** A tokenizer that Hugging Face's tokenizers library runs, from its {@code tokenizer.json}. */
final class SubwordTokenizer implements Tokenizer {
  private static final List<String> END_OF_TEXT =
      List.of("<|endoftext|>", "</s>", "<|end_of_text|>", "<|eot_id|>", "<eos>");

  /** A text to find out which special tokens are put around texts. */
  private static final String SAMPLE = "a";

  static {
    NativeCache.prepare();
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
  private final JsonNode vocabulary;
  private final Map<String, Integer> added = new HashMap<>();

  /** The special tokens around a text. */
  private final int[] before;

  private final int[] after;

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
      this.added.put(added.path("content").asText(), added.path("id").asInt());
      if (end.isEmpty() && END_OF_TEXT.contains(added.path("content").asText())) {
        end = OptionalInt.of(added.path("id").asInt());
      }
    }
    this.vocabularySize = largest + 1;
    this.endOfText = end;
    this.vocabulary = vocab;
    int[] plain = encode(SAMPLE);
    int[] whole = ids(SAMPLE, true);
    int start = 0;
    while (start + plain.length < whole.length
        && !Arrays.equals(plain, 0, plain.length, whole, start, start + plain.length)) {
      start++;
    }
    this.before = Arrays.copyOf(whole, start);
    this.after =
        Arrays.copyOfRange(whole, Math.min(whole.length, start + plain.length), whole.length);
  }

  @Override
  public int[] encode(String text) {
    return ids(text, false);
  }

  private int[] ids(String text, boolean special) {
    return Arrays.stream(tokenizer.encode(text, special, false).getIds())
        .mapToInt(Math::toIntExact)
        .toArray();
  }

  @Override
  public int[] encodeWhole(String text, int longest) {
    int room = longest - before.length - after.length;
    if (room < 0) {
      throw new IllegalArgumentException(
          "a text of at most "
              + longest
              + " tokens has no room for the "
              + (before.length + after.length)
              + " special tokens around it");
    }
    int[] ids = encode(text);
    int count = Math.min(room, ids.length);
    int[] whole = new int[before.length + count + after.length];
    System.arraycopy(before, 0, whole, 0, before.length);
    System.arraycopy(ids, 0, whole, before.length, count);
    System.arraycopy(after, 0, whole, before.length + count, after.length);
    return whole;
  }

  @Override
  public int[] encodePrompt(String text) {
    int[] ids = encode(text);
    int[] whole = Arrays.copyOf(before, before.length + ids.length);
    System.arraycopy(ids, 0, whole, before.length, ids.length);
    return whole;
  }

  @Override
  public OptionalInt id(String token) {
    Integer special = added.get(token);
    if (special != null) {
      return OptionalInt.of(special);
    }
    JsonNode id = vocabulary.path(token);
    return id.isInt() ? OptionalInt.of(id.intValue()) : OptionalInt.empty();
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
