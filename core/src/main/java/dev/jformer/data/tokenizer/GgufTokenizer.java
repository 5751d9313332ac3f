package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Writes the tokenizer of a GGUF file, its {@code tokenizer.ggml.*}, as the {@code tokenizer.json}
 * that encodes the same: byte-level BPE ({@code gpt2}) or SentencePiece's BPE ({@code llama}).
 */
final class GgufTokenizer {
  private static final String PREFIX = "tokenizer.ggml.";
  private static final JsonMapper JSON = new JsonMapper();

  private final GgufMetadata metadata;
  private final List<String> tokens;
  private final int[] kinds;

  private GgufTokenizer(GgufMetadata metadata) {
    this.metadata = metadata;
    this.tokens = metadata.strings(PREFIX + "tokens");
    int[] given = metadata.integers(PREFIX + "token_type");
    this.kinds = given.length == 0 ? normal(tokens.size()) : given;
    if (tokens.isEmpty()) {
      throw new DataException("it has no tokens: expected " + PREFIX + "tokens");
    }
    if (kinds.length != tokens.size()) {
      throw new DataException(
          PREFIX + "token_type has " + kinds.length + " values for " + tokens.size() + " tokens");
    }
  }

  private static int[] normal(int count) {
    int[] kinds = new int[count];
    Arrays.fill(kinds, GgufTokenKind.NORMAL);
    return kinds;
  }

  /** Whether a file has a tokenizer. */
  static boolean exists(GgufMetadata metadata) {
    return metadata.has(PREFIX + "model");
  }

  /**
   * The content of the {@code tokenizer.json}.
   *
   * @throws DataException if the tokenizer is missing or of a kind that is not supported
   */
  static byte[] json(GgufMetadata metadata) {
    String kind = metadata.text(PREFIX + "model", "");
    GgufTokenizer tokenizer = new GgufTokenizer(metadata);
    ObjectNode root = JSON.createObjectNode();
    root.put("version", "1.0");
    root.putNull("truncation");
    root.putNull("padding");
    tokenizer.addedTokens(root.putArray("added_tokens"));
    switch (kind) {
      case "gpt2" -> tokenizer.byteLevel(root);
      case "llama" -> tokenizer.sentencePiece(root);
      default ->
          throw new DataException(
              PREFIX
                  + "model is "
                  + FormatException.quote(kind)
                  + ", which is not supported: only gpt2 (byte-level BPE) and llama (SentencePiece)"
                  + " are");
    }
    return (root.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private void addedTokens(ArrayNode added) {
    for (int id = 0; id < kinds.length; id++) {
      boolean special = GgufTokenKind.isSpecial(kinds[id]);
      if ((special || kinds[id] == GgufTokenKind.USER) && !tokens.get(id).isEmpty()) {
        TokenizerJson.added(added, tokens.get(id), id, special);
      }
    }
  }

  // ---- Byte-level BPE

  private void byteLevel(ObjectNode root) {
    GgufPreTokenizer split = GgufPreTokenizer.named(metadata.text(PREFIX + "pre", ""));
    root.set("normalizer", split.normalizer());
    root.set("pre_tokenizer", split.preTokenizer());
    around(root, split.beginsTexts());
    root.set("decoder", GgufPreTokenizer.byteLevel(true));
    ObjectNode model = model(root, null, split.wholeWords(), false);
    ArrayNode merges = model.putArray("merges");
    metadata.strings(PREFIX + "merges").forEach(merges::add);
  }

  // ---- SentencePiece

  private void sentencePiece(ObjectNode root) {
    float[] scores = metadata.numbers(PREFIX + "scores");
    if (scores.length != tokens.size()) {
      throw new DataException(
          PREFIX + "scores has " + scores.length + " values for " + tokens.size() + " tokens");
    }
    boolean prefixed = metadata.flag(PREFIX + "add_space_prefix", true);
    ArrayNode steps = root.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
    if (prefixed) {
      steps.addObject().put("type", "Prepend").put("prepend", SentencePieceMerges.SPACE);
    }
    replace(steps, " ", SentencePieceMerges.SPACE);
    root.putNull("pre_tokenizer");
    around(root, true);
    ArrayNode back = root.putObject("decoder").put("type", "Sequence").putArray("decoders");
    replace(back, SentencePieceMerges.SPACE, " ");
    back.addObject().put("type", "ByteFallback");
    back.addObject().put("type", "Fuse");
    if (prefixed) {
      back.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
    int unknown = id("unknown_token_id", 0);
    ObjectNode model = model(root, tokens.get(unknown), false, true);
    ArrayNode merges = model.putArray("merges");
    SentencePieceMerges.of(tokens, scores, kinds)
        .forEach(merge -> merges.addArray().add(merge.left()).add(merge.right()));
  }

  private static void replace(ArrayNode steps, String from, String to) {
    ObjectNode step = steps.addObject().put("type", "Replace");
    step.putObject("pattern").put("String", from);
    step.put("content", to);
  }

  // ---- Both

  private ObjectNode model(
      ObjectNode root, String unknown, boolean wholeWords, boolean unknownBytes) {
    ObjectNode model = root.putObject("model");
    model.put("type", "BPE");
    model.putNull("dropout");
    model.put("unk_token", unknown);
    model.putNull("continuing_subword_prefix");
    model.putNull("end_of_word_suffix");
    model.put("fuse_unk", unknownBytes);
    model.put("byte_fallback", unknownBytes);
    model.put("ignore_merges", wholeWords);
    ObjectNode vocabulary = model.putObject("vocab");
    for (int id = 0; id < tokens.size(); id++) {
      if (!vocabulary.has(tokens.get(id))) {
        vocabulary.put(tokens.get(id), id);
      }
    }
    return model;
  }

  /** The tokens that are put before and after a text. */
  private void around(ObjectNode root, boolean usual) {
    boolean begins = metadata.flag(PREFIX + "add_bos_token", usual);
    boolean ends = metadata.flag(PREFIX + "add_eos_token", false);
    if (!begins && !ends) {
      root.putNull("post_processor");
      return;
    }
    ObjectNode template = root.putObject("post_processor").put("type", "TemplateProcessing");
    ArrayNode single = template.putArray("single");
    ObjectNode special = JSON.createObjectNode();
    if (begins) {
      special(single, special, id("bos_token_id", 1));
    }
    single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
    if (ends) {
      special(single, special, id("eos_token_id", 2));
    }
    template
        .putArray("pair")
        .addAll(single)
        .addObject()
        .putObject("Sequence")
        .put("id", "B")
        .put("type_id", 1);
    template.set("special_tokens", special);
  }

  private void special(ArrayNode single, ObjectNode special, int id) {
    String token = tokens.get(id);
    single.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
    ObjectNode entry = special.putObject(token).put("id", token);
    entry.putArray("ids").add(id);
    entry.putArray("tokens").add(token);
  }

  /** The id of a token with a part to play, which must be in the vocabulary. */
  private int id(String key, int usual) {
    int given = metadata.id(PREFIX + key);
    int id = given < 0 ? usual : given;
    if (id >= tokens.size()) {
      throw new DataException(
          PREFIX + key + " is " + id + ", but there are only " + tokens.size() + " tokens");
    }
    return id;
  }
}
