package dev.jformer.data.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Splits a normalized text into the words that a model encodes one by one. */
@FunctionalInterface
interface PreTokenizer {
  /**
   * A piece of a text.
   *
   * @param first whether the text begins with it
   */
  record Piece(String text, boolean first) {}

  /** The pieces of a piece, in order; some may be empty. */
  List<Piece> split(Piece piece);

  /** Makes one piece of a text. */
  PreTokenizer NONE = List::of;

  /**
   * Creates the pre-tokenizer that an object describes.
   *
   * @param fields null for none
   */
  static PreTokenizer of(JsonFields fields) {
    if (fields == null) {
      return NONE;
    }
    return switch (fields.type()) {
      case "Sequence" -> sequence(fields.objects("pretokenizers"));
      case "BertPreTokenizer" ->
          then(
              at(TextPattern.characters(CharacterClasses::isSpace), SplitBehavior.REMOVED),
              at(TextPattern.characters(CharacterClasses::isPunctuation), SplitBehavior.ISOLATED));
      case "ByteLevel" ->
          byteLevel(fields.flag("add_prefix_space", true), fields.flag("use_regex", true));
      case "CharDelimiterSplit" -> {
        int delimiter = fields.character("delimiter");
        yield at(TextPattern.characters(c -> c == delimiter), SplitBehavior.REMOVED);
      }
      case "Digits" ->
          at(
              TextPattern.characters(CharacterClasses::isNumber),
              fields.flag("individual_digits", false)
                  ? SplitBehavior.ISOLATED
                  : SplitBehavior.CONTIGUOUS);
      case "FixedLength" -> fixedLength(fields.number("length", 1, 5));
      case "Metaspace" -> metaspace(fields);
      case "Punctuation" ->
          at(
              TextPattern.characters(CharacterClasses::isPunctuation),
              fields.oneOf("behavior", SplitBehavior.values(), SplitBehavior.ISOLATED));
      case "Split" -> {
        TextPattern pattern = TextPattern.of(fields);
        yield at(
            fields.flag("invert", false) ? pattern.inverted() : pattern,
            fields.oneOf("behavior", SplitBehavior.values(), null));
      }
      case "Whitespace" -> PreTokenizer::words;
      case "WhitespaceSplit" ->
          at(TextPattern.characters(CharacterClasses::isSpace), SplitBehavior.REMOVED);
      default ->
          throw fields.unknownType(
              "BertPreTokenizer",
              "ByteLevel",
              "CharDelimiterSplit",
              "Digits",
              "FixedLength",
              "Metaspace",
              "Punctuation",
              "Sequence",
              "Split",
              "Whitespace",
              "WhitespaceSplit");
    };
  }

  private static PreTokenizer sequence(List<JsonFields> parts) {
    PreTokenizer all = NONE;
    for (JsonFields part : parts) {
      all = then(all, of(part));
    }
    return all;
  }

  private static PreTokenizer then(PreTokenizer first, PreTokenizer second) {
    return piece -> {
      List<Piece> pieces = new ArrayList<>();
      for (Piece part : first.split(piece)) {
        if (!part.text().isEmpty()) {
          pieces.addAll(second.split(part));
        }
      }
      return pieces;
    };
  }

  private static PreTokenizer at(TextPattern pattern, SplitBehavior behavior) {
    return piece -> {
      List<Piece> pieces = new ArrayList<>();
      for (SplitBehavior.Range range : behavior.split(pattern, piece.text())) {
        pieces.add(part(piece, range.start(), range.end()));
      }
      return pieces;
    };
  }

  private static Piece part(Piece piece, int start, int end) {
    return new Piece(piece.text().substring(start, end), piece.first() && start == 0);
  }

  private static PreTokenizer byteLevel(boolean prefixed, boolean split) {
    return piece -> {
      Piece whole =
          prefixed && !piece.text().startsWith(" ")
              ? new Piece(" " + piece.text(), piece.first())
              : piece;
      List<Piece> pieces = new ArrayList<>();
      for (Piece word : split ? Gpt2Words.split(whole) : List.of(whole)) {
        byte[] bytes = word.text().getBytes(StandardCharsets.UTF_8);
        pieces.add(new Piece(ByteAlphabet.spell(bytes), word.first()));
      }
      return pieces;
    };
  }

  private static PreTokenizer fixedLength(int length) {
    return piece -> {
      List<Piece> pieces = new ArrayList<>();
      String text = piece.text();
      for (int at = 0; at < text.length(); ) {
        int left = text.codePointCount(at, text.length());
        int next = text.offsetByCodePoints(at, Math.min(length, left));
        pieces.add(part(piece, at, next));
        at = next;
      }
      return pieces;
    };
  }

  /** Where the sign of a space is put before a text that has none. */
  enum PrependScheme {
    ALWAYS,
    NEVER,
    FIRST;

    static PrependScheme of(JsonFields fields) {
      PrependScheme scheme = fields.oneOf("prepend_scheme", values(), ALWAYS);
      return fields.flag("add_prefix_space", true) ? scheme : NEVER;
    }
  }

  private static PreTokenizer metaspace(JsonFields fields) {
    String sign = Character.toString(fields.character("replacement"));
    PrependScheme scheme = PrependScheme.of(fields);
    int c = sign.codePointAt(0);
    PreTokenizer split =
        fields.flag("split", true)
            ? at(TextPattern.characters(other -> other == c), SplitBehavior.MERGED_WITH_NEXT)
            : NONE;
    return piece -> {
      String text = piece.text().replace(" ", sign);
      boolean prepended =
          scheme == PrependScheme.ALWAYS || (scheme == PrependScheme.FIRST && piece.first());
      return split.split(
          new Piece(prepended && !text.startsWith(sign) ? sign + text : text, piece.first()));
    };
  }

  /** Runs of word characters, and runs of others; spaces are left out. */
  private static List<Piece> words(Piece piece) {
    List<Piece> pieces = new ArrayList<>();
    String text = piece.text();
    for (int at = 0; at < text.length(); ) {
      int c = text.codePointAt(at);
      int end = at + Character.charCount(c);
      if (!CharacterClasses.isSpace(c)) {
        boolean word = CharacterClasses.isWord(c);
        while (end < text.length()) {
          int next = text.codePointAt(end);
          if (CharacterClasses.isWord(next) != word || CharacterClasses.isSpace(next)) {
            break;
          }
          end += Character.charCount(next);
        }
        pieces.add(part(piece, at, end));
      }
      at = end;
    }
    return pieces;
  }
}
