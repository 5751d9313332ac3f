package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.data.DataException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * A tokenizer in the format of Hugging Face's tokenizers library. A text is cut at added tokens,
 * normalized, split into words, and each word is encoded by the model of the vocabulary.
 *
 * <p>Everything runs in Java: the library itself ends the process on some files and texts. Threads
 * may share a tokenizer.
 */
final class SubwordTokenizer implements Tokenizer {
  private static final List<String> END_OF_TEXT =
      List.of("<|endoftext|>", "</s>", "<|end_of_text|>", "<|eot_id|>", "<eos>");

  private final byte[] json;
  private final AddedTokens added;
  private final PreTokenizer preTokenizer;
  private final SubwordModel model;
  private final TokenDecoder decoder;
  private final SpecialTokens around;
  private final int vocabularySize;
  private final OptionalInt endOfText;

  /**
   * Creates the tokenizer that a file describes.
   *
   * @param json the content of the file
   * @param root the same as a tree
   * @throws DataException if it is not valid, or has a part that is not supported
   */
  SubwordTokenizer(byte[] json, JsonNode root) {
    this.json = json;
    JsonFields fields = new JsonFields(root, "");
    this.model = SubwordModel.of(fields.required("model"));
    TextNormalizer normalizer = TextNormalizer.of(fields.object("normalizer"));
    this.added = new AddedTokens(fields.objects("added_tokens"), model, normalizer);
    this.preTokenizer = PreTokenizer.of(fields.object("pre_tokenizer"));
    this.decoder = TokenDecoder.of(fields.object("decoder"));
    this.around = SpecialTokens.of(fields.object("post_processor"));
    int limit = model.limit();
    OptionalInt end = OptionalInt.empty();
    for (AddedTokens.Token token : added.all()) {
      limit = Math.max(limit, token.id() + 1);
      if (end.isEmpty() && END_OF_TEXT.contains(token.content())) {
        end = OptionalInt.of(token.id());
      }
    }
    this.vocabularySize = limit;
    this.endOfText = end;
    checkAround();
  }

  private void checkAround() {
    for (int[] ids : List.of(around.before(), around.after())) {
      for (int id : ids) {
        if (id >= vocabularySize) {
          throw new DataException(
              "post_processor puts the id "
                  + id
                  + " around texts, but the vocabulary has "
                  + vocabularySize
                  + " ids");
        }
      }
    }
  }

  @Override
  public int[] encode(String text) {
    TokenIds ids = new TokenIds();
    for (AddedTokens.Part part : added.split(wellFormed(text))) {
      if (part.token() != null) {
        ids.add(part.token().id());
      } else {
        for (PreTokenizer.Piece piece :
            preTokenizer.split(new PreTokenizer.Piece(part.text(), part.first()))) {
          if (!piece.text().isEmpty()) {
            model.encode(piece.text(), ids);
          }
        }
      }
    }
    return ids.toArray();
  }

  /** Half a pair of surrogates is no character: it becomes the replacement character. */
  private static String wellFormed(String text) {
    StringBuilder changed = null;
    for (int at = 0; at < text.length(); ) {
      int c = text.codePointAt(at);
      if (Character.getType(c) == Character.SURROGATE) {
        changed = changed == null ? new StringBuilder(text) : changed;
        changed.setCharAt(at, '\uFFFD');
      }
      at += Character.charCount(c);
    }
    return changed == null ? text : changed.toString();
  }

  @Override
  public int[] encodeWhole(String text, int longest) {
    int[] before = around.before();
    int[] after = around.after();
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
    int[] before = around.before();
    int[] ids = encode(text);
    int[] whole = Arrays.copyOf(before, before.length + ids.length);
    System.arraycopy(ids, 0, whole, before.length, ids.length);
    return whole;
  }

  @Override
  public OptionalInt id(String token) {
    Integer id = added.id(token);
    id = id == null ? model.id(token) : id;
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  @Override
  public String decode(int[] ids) {
    List<String> tokens = new ArrayList<>();
    for (int id : ids) {
      String token = piece(id);
      if (token != null) {
        tokens.add(token);
      }
    }
    return tokens.isEmpty() ? "" : String.join("", decoder.apply(tokens));
  }

  /** The token of an id; null if there is none. */
  String piece(int id) {
    String token = added.token(id);
    return token == null ? model.token(id) : token;
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
