package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import java.util.HashMap;
import java.util.Map;

/** Encodes words as ids of a vocabulary: the {@code model} of a tokenizer. */
interface SubwordModel {
  /** Appends the ids of a word, which is not empty. */
  void encode(String word, TokenIds ids);

  /** The tokens. */
  Vocabulary vocabulary();

  /** The id of a token; null if the vocabulary does not have it. */
  default Integer id(String token) {
    return vocabulary().ids().get(token);
  }

  /** The token of an id; null if the vocabulary does not have it. */
  default String token(int id) {
    return vocabulary().token(id);
  }

  /** The number of tokens. */
  default int size() {
    return vocabulary().ids().size();
  }

  /** One more than the largest id. */
  default int limit() {
    return vocabulary().tokens().length;
  }

  /** Creates the model that an object describes; older files leave out its type. */
  static SubwordModel of(JsonFields fields) {
    return switch (fields.has("type") ? fields.type() : likelyType(fields)) {
      case "BPE" -> BpeModel.of(fields);
      case "WordPiece" -> WordPieceModel.of(fields);
      case "WordLevel" -> WordLevelModel.of(fields);
      case "Unigram" -> UnigramModel.of(fields);
      default -> throw fields.unknownType("BPE", "Unigram", "WordLevel", "WordPiece");
    };
  }

  private static String likelyType(JsonFields fields) {
    if (fields.has("merges")) {
      return "BPE";
    }
    if (fields.node().path("vocab").isArray()) {
      return "Unigram";
    }
    return fields.has("continuing_subword_prefix") ? "WordPiece" : "WordLevel";
  }

  /**
   * Ids by token, and tokens by id.
   *
   * @param tokens null where an id has no token
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Vocabulary(Map<String, Integer> ids, String[] tokens) {
    /** Reads an object of ids by token. */
    static Vocabulary of(JsonFields fields) {
      JsonFields vocab = fields.required("vocab");
      Map<String, Integer> ids = new HashMap<>(2 * vocab.node().size());
      int limit = 0;
      for (Map.Entry<String, JsonNode> entry : vocab.node().properties()) {
        if (!JsonFields.isId(entry.getValue())) {
          throw new DataException(
              "the token "
                  + FormatException.quote(entry.getKey())
                  + " of model.vocab has the id "
                  + FormatException.oneLine(entry.getValue().toString())
                  + ": expected 0 to "
                  + (JsonFields.MOST_IDS - 1));
        }
        int id = entry.getValue().intValue();
        ids.put(entry.getKey(), id);
        limit = Math.max(limit, id + 1);
      }
      String[] tokens = new String[limit];
      ids.forEach((token, id) -> tokens[id] = token);
      return new Vocabulary(ids, tokens);
    }

    String token(int id) {
      return id >= 0 && id < tokens.length ? tokens[id] : null;
    }

    /**
     * The id of the token for what is not in the vocabulary.
     *
     * @throws DataException if there is none
     */
    int unknown(String token, String word) {
      Integer id = ids.get(token);
      if (id == null) {
        throw missing(word);
      }
      return id;
    }

    static DataException missing(String word) {
      return new DataException(
          "the tokenizer has no token for "
              + FormatException.quote(word)
              + ", and none for what is unknown");
    }
  }
}
