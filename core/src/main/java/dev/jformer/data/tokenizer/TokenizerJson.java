package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Writes tokenizers in the format of Hugging Face's {@code tokenizer.json}. */
final class TokenizerJson {
  private static final JsonMapper JSON = new JsonMapper();

  /** What an added token's entry says about how it is found in a text. */
  private static final List<String> FLAGS =
      List.of("single_word", "lstrip", "rstrip", "normalized");

  private TokenizerJson() {}

  /**
   * The file's content for byte-level BPE.
   *
   * @param vocabulary ids by token, tokens spelled in the {@link ByteAlphabet}
   * @param merges pairs of tokens, separated by a space, in order of priority
   * @param special special tokens, which no text is encoded as; also in the vocabulary
   */
  static byte[] write(Map<String, Integer> vocabulary, List<String> merges, List<String> special) {
    return content(byteLevelBpe(vocabulary, merges, special));
  }

  private static byte[] content(ObjectNode root) {
    return (root.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static ObjectNode byteLevelBpe(
      Map<String, Integer> vocabulary, List<String> merges, List<String> special) {
    ObjectNode root = byteLevel(vocabulary, special);
    ObjectNode model = root.putObject("model");
    model.put("type", "BPE");
    for (String absent :
        List.of("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")) {
      model.putNull(absent);
    }
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.put("ignore_merges", false);
    vocabulary(model, vocabulary);
    ArrayNode list = model.putArray("merges");
    merges.forEach(list::add);
    return root;
  }

  /** A byte-level tokenizer without its model. */
  private static ObjectNode byteLevel(Map<String, Integer> vocabulary, List<String> special) {
    ObjectNode root = JSON.createObjectNode();
    root.put("version", "1.0");
    root.putNull("truncation");
    root.putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    special.forEach(token -> special(added, token, vocabulary.get(token)));
    root.putNull("normalizer");
    byteLevel(root.putObject("pre_tokenizer")).put("use_regex", true);
    root.putNull("post_processor");
    byteLevel(root.putObject("decoder")).put("use_regex", true);
    return root;
  }

  private static void vocabulary(ObjectNode model, Map<String, Integer> vocabulary) {
    ObjectNode vocab = model.putObject("vocab");
    vocabulary.entrySet().stream()
        .sorted(Map.Entry.comparingByValue())
        .forEach(entry -> vocab.put(entry.getKey(), entry.getValue()));
  }

  private static Map<String, Integer> ids(List<String> tokens) {
    Map<String, Integer> ids = new LinkedHashMap<>();
    tokens.forEach(token -> ids.put(token, ids.size()));
    return ids;
  }

  /**
   * The file's content for a byte-level tokenizer that takes the longest token from left to right:
   * BERT's model, without a mark on tokens within words.
   *
   * @param tokens by id, spelled in the {@link ByteAlphabet}; all bytes are among them
   * @param special special tokens, which no text is encoded as; also in the vocabulary
   */
  static byte[] longestFirst(List<String> tokens, List<String> special) {
    Map<String, Integer> vocabulary = ids(tokens);
    ObjectNode root = byteLevel(vocabulary, special);
    ObjectNode model = root.putObject("model");
    model.put("type", "WordPiece");
    model.put("unk_token", special.get(0));
    model.put("continuing_subword_prefix", "");
    model.put("max_input_chars_per_word", Integer.MAX_VALUE);
    vocabulary(model, vocabulary);
    return content(root);
  }

  /**
   * The file's content for a byte-level tokenizer that takes the most probable tokens:
   * SentencePiece's unigram model.
   *
   * @param tokens by id, spelled in the {@link ByteAlphabet}; all bytes are among them
   * @param scores logarithms of the tokens' probabilities
   * @param special special tokens, which no text is encoded as; also in the vocabulary
   */
  static byte[] mostProbable(List<String> tokens, double[] scores, List<String> special) {
    ObjectNode root = byteLevel(ids(tokens), special);
    ObjectNode model = root.putObject("model");
    model.put("type", "Unigram");
    model.putNull("unk_id");
    ArrayNode vocab = model.putArray("vocab");
    for (int id = 0; id < scores.length; id++) {
      vocab.addArray().add(tokens.get(id)).add(scores[id]);
    }
    model.put("byte_fallback", false);
    return content(root);
  }

  /**
   * The file's content for the byte-level BPE of GPT-2, OPT and RoBERTa in their older files.
   *
   * @param vocab ids by token, the content of {@code vocab.json}
   * @param lines those of {@code merges.txt}: pairs of tokens in order of priority
   * @param settings the content of {@code tokenizer_config.json}; missing values have defaults
   * @param more the content of {@code added_tokens.json}: ids by token
   * @throws DataException if an id is not a number
   */
  static byte[] bytePairs(JsonNode vocab, List<String> lines, JsonNode settings, JsonNode more) {
    Map<String, Integer> ids = new LinkedHashMap<>();
    vocab.properties().forEach(e -> ids.put(e.getKey(), id(e.getValue().asText(), e.getKey())));
    List<String> merges =
        lines.stream().filter(l -> !l.isBlank() && !l.startsWith("#version")).toList();
    boolean roberta = ids.keySet().containsAll(List.of("<s>", "</s>", "<mask>"));
    Set<String> special = new TreeSet<>(Comparator.comparing(ids::get));
    List<String> named = roberta ? List.of("<s>", "</s>", "<mask>", "<unk>", "<pad>") : List.of();
    Stream.concat(
            named.stream(),
            Stream.of("bos_token", "eos_token", "unk_token", "pad_token")
                .map(name -> text(settings.path(name), roberta ? "" : "<|endoftext|>")))
        .filter(ids::containsKey)
        .forEach(special::add);
    ObjectNode root = byteLevelBpe(ids, merges, List.copyOf(special));
    addedTokens((ArrayNode) root.get("added_tokens"), settings.path("added_tokens_decoder"), more);
    boolean space = settings.path("add_prefix_space").asBoolean(false);
    ((ObjectNode) root.get("pre_tokenizer")).put("add_prefix_space", space);
    String begin = text(settings.path("bos_token"), "");
    if (roberta) {
      ObjectNode around = root.putObject("post_processor").put("type", "RobertaProcessing");
      around.putArray("sep").add("</s>").add(ids.get("</s>"));
      around.putArray("cls").add("<s>").add(ids.get("<s>"));
      around.put("trim_offsets", true).put("add_prefix_space", space);
    } else if (settings.path("add_bos_token").asBoolean(false) && ids.containsKey(begin)) {
      begins(root.putObject("post_processor"), begin, ids.get(begin));
    }
    return content(root);
  }

  private static String text(JsonNode token, String fallback) {
    return token.isTextual() ? token.asText() : token.path("content").asText(fallback);
  }

  /** Puts a token before each text. */
  private static void begins(ObjectNode template, String token, int id) {
    template.put("type", "TemplateProcessing");
    for (String part : List.of("single", "pair")) {
      ArrayNode steps = template.putArray(part);
      for (String sequence : part.equals("single") ? List.of("A") : List.of("A", "B")) {
        steps.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
        steps.addObject().putObject("Sequence").put("id", sequence).put("type_id", 0);
      }
    }
    ObjectNode entry = template.putObject("special_tokens").putObject(token);
    entry.put("id", token).putArray("ids").add(id);
    entry.putArray("tokens").add(token);
  }

  private static void special(ArrayNode added, String token, int id) {
    added(added, token, id, true);
  }

  /** Adds a token that is found in texts as it is. */
  static void added(ArrayNode added, String token, int id, boolean special) {
    ObjectNode entry = added.addObject();
    entry.put("id", id);
    entry.put("content", token);
    for (String flag : FLAGS) {
      entry.put(flag, false);
    }
    entry.put("special", special);
  }

  /**
   * The file's content for BERT's word pieces, with its special tokens around a text.
   *
   * @param pieces one for each id, in order
   * @param settings the content of BERT's {@code tokenizer_config.json}; missing values have
   *     defaults
   * @param more the content of {@code added_tokens.json}: ids by token
   * @throws DataException if a special token is missing
   */
  static byte[] wordPieces(List<String> pieces, JsonNode settings, JsonNode more) {
    ObjectNode root = JSON.createObjectNode();
    root.put("version", "1.0");
    root.putNull("truncation");
    root.putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    for (String token : List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")) {
      if (!pieces.contains(token)) {
        throw new DataException(
            "the vocabulary of " + pieces.size() + " word pieces has no " + token);
      }
      special(added, token, pieces.indexOf(token));
    }
    addedTokens(added, settings.path("added_tokens_decoder"), more);
    boolean lower = settings.path("do_lower_case").asBoolean(true);
    ObjectNode normalizer = root.putObject("normalizer");
    normalizer.put("type", "BertNormalizer");
    normalizer.put("clean_text", true);
    normalizer.put("handle_chinese_chars", settings.path("tokenize_chinese_chars").asBoolean(true));
    JsonNode accents = settings.path("strip_accents");
    normalizer.put("strip_accents", accents.isBoolean() ? accents.asBoolean() : null);
    normalizer.put("lowercase", lower);
    root.putObject("pre_tokenizer").put("type", "BertPreTokenizer");
    ObjectNode around = root.putObject("post_processor");
    around.put("type", "BertProcessing");
    around.putArray("sep").add("[SEP]").add(pieces.indexOf("[SEP]"));
    around.putArray("cls").add("[CLS]").add(pieces.indexOf("[CLS]"));
    root.putObject("decoder").put("type", "WordPiece").put("prefix", "##").put("cleanup", true);
    ObjectNode model = root.putObject("model");
    model.put("type", "WordPiece");
    model.put("unk_token", "[UNK]");
    model.put("continuing_subword_prefix", "##");
    model.put("max_input_chars_per_word", 100);
    ObjectNode vocab = model.putObject("vocab");
    for (int id = 0; id < pieces.size(); id++) {
      vocab.put(pieces.get(id), id);
    }
    return content(root);
  }

  /**
   * Appends the tokens that were added to a vocabulary.
   *
   * @param described by id, with flags, in {@code tokenizer_config.json}
   * @param named ids by token, in {@code added_tokens.json}; they are matched in normalized text
   */
  private static void addedTokens(ArrayNode added, JsonNode described, JsonNode named) {
    Set<String> present = new HashSet<>();
    added.forEach(entry -> present.add(entry.path("content").asText()));
    described
        .properties()
        .forEach(
            entry -> {
              JsonNode token = entry.getValue();
              String content = token.path("content").asText();
              if (!content.isEmpty() && present.add(content)) {
                special(added, content, id(entry.getKey(), content));
                ObjectNode last = (ObjectNode) added.get(added.size() - 1);
                for (String flag : FLAGS) {
                  last.put(flag, token.path(flag).asBoolean(false));
                }
                last.put("special", token.path("special").asBoolean(false));
              }
            });
    named
        .properties()
        .forEach(
            entry -> {
              if (!entry.getKey().isEmpty() && present.add(entry.getKey())) {
                special(added, entry.getKey(), id(entry.getValue().asText(), entry.getKey()));
                ((ObjectNode) added.get(added.size() - 1))
                    .put("normalized", true)
                    .put("special", false);
              }
            });
  }

  private static int id(String given, String token) {
    try {
      return Integer.parseUnsignedInt(given);
    } catch (NumberFormatException e) {
      throw new DataException(
          "the id of the added token "
              + FormatException.quote(token)
              + " is "
              + FormatException.quote(given)
              + ": expected a number",
          e);
    }
  }

  private static ObjectNode byteLevel(ObjectNode node) {
    return node.put("type", "ByteLevel").put("add_prefix_space", false).put("trim_offsets", true);
  }

  /**
   * Whether a tokenizer is a {@link ByteTokenizer}: 256 bytes that are their own ids, and no
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
