package dev.jformer.data.tokenizer;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a text into words as GPT-2 does: an English ending after an apostrophe; a run of letters,
 * of numbers or of other characters, each with one space before it; a run of spaces. The last space
 * before a word belongs to the word if it is a plain one, and else is a word of its own.
 */
final class Gpt2Words {
  private static final List<String> ENDINGS = List.of("'s", "'t", "'re", "'ve", "'m", "'ll", "'d");

  private enum Kind {
    LETTER,
    NUMBER,
    SPACE,
    OTHER;

    static Kind of(int c) {
      if (Character.isLetter(c)) {
        return LETTER;
      }
      if (CharacterClasses.isSpace(c)) {
        return SPACE;
      }
      return CharacterClasses.isNumber(c) ? NUMBER : OTHER;
    }
  }

  private Gpt2Words() {}

  static List<PreTokenizer.Piece> split(PreTokenizer.Piece piece) {
    String text = piece.text();
    List<PreTokenizer.Piece> words = new ArrayList<>();
    for (int at = 0; at < text.length(); ) {
      int end = end(text, at);
      words.add(new PreTokenizer.Piece(text.substring(at, end), piece.first() && at == 0));
      at = end;
    }
    return words;
  }

  private static int end(String text, int at) {
    int c = text.codePointAt(at);
    if (c == '\'') {
      for (String ending : ENDINGS) {
        if (text.startsWith(ending, at)) {
          return at + ending.length();
        }
      }
    }
    int start = c == ' ' && at + 1 < text.length() ? at + 1 : at;
    Kind kind = Kind.of(text.codePointAt(start));
    if (kind != Kind.SPACE) {
      return run(text, start, kind);
    }
    int end = run(text, at, Kind.SPACE);
    // All characters of space are one unit long.
    return end == text.length() || end - at == 1 ? end : end - 1;
  }

  private static int run(String text, int from, Kind kind) {
    int at = from;
    while (at < text.length()) {
      int c = text.codePointAt(at);
      if (Kind.of(c) != kind) {
        break;
      }
      at += Character.charCount(c);
    }
    return at;
  }
}
