package dev.jformer.data.tokenizer;

import java.util.ArrayList;
import java.util.List;

/**
 * BERT's word pieces: from left to right the longest piece that the vocabulary has. A word that
 * cannot be put together is unknown as a whole.
 *
 * @param prefix what pieces begin with that do not begin a word
 * @param longest words of more characters are unknown
 * @param longestPiece the most characters of a piece
 */
record WordPieceModel(
    SubwordModel.Vocabulary vocabulary,
    String unknown,
    String prefix,
    int longest,
    int longestPiece)
    implements SubwordModel {
  static SubwordModel of(JsonFields fields) {
    Vocabulary vocabulary = Vocabulary.of(fields);
    return new WordPieceModel(
        vocabulary,
        fields.text("unk_token", "[UNK]"),
        fields.text("continuing_subword_prefix", "##"),
        fields.number("max_input_chars_per_word", 0, 100),
        vocabulary.ids().keySet().stream().mapToInt(String::length).max().orElse(0));
  }

  @Override
  public void encode(String word, TokenIds ids) {
    List<Integer> pieces = word.codePointCount(0, word.length()) > longest ? null : pieces(word);
    if (pieces == null) {
      ids.add(vocabulary.unknown(unknown, word));
    } else {
      pieces.forEach(ids::add);
    }
  }

  /** The ids of a word's pieces; null if it cannot be put together. */
  private List<Integer> pieces(String word) {
    List<Integer> pieces = new ArrayList<>();
    int start = 0;
    while (start < word.length()) {
      Integer id = null;
      int end = Math.min(word.length(), start + longestPiece);
      while (start < end) {
        String piece = word.substring(start, end);
        id = vocabulary.ids().get(start > 0 ? prefix + piece : piece);
        if (id != null) {
          break;
        }
        end -= Character.charCount(word.codePointBefore(end));
      }
      if (id == null) {
        return null;
      }
      pieces.add(id);
      start = end;
    }
    return pieces;
  }
}
