package dev.jformer.data.tokenizer;

import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;

/** Rewrites a text before it is split into words: the {@code normalizer} of a tokenizer. */
@FunctionalInterface
interface TextNormalizer {
  /** The text as the tokenizer sees it. */
  String apply(String text);

  /** What the rules of neural machine translation leave out. */
  BitSet NMT_REMOVED = CharacterClasses.ranges("1-8 b e-1f 7f 8f 9f");

  /** What becomes a space by these rules. */
  BitSet NMT_SPACE = CharacterClasses.ranges("9 a c d 1680 200b-200f 2028 2029 2581 feff fffd");

  /** Marks after a character that are sorted together. */
  int LONGEST_MARKS = 1000;

  /** A normalizer that changes nothing. */
  TextNormalizer NONE = text -> text;

  /**
   * Creates the normalizer that an object describes.
   *
   * @param fields null for none
   */
  static TextNormalizer of(JsonFields fields) {
    if (fields == null) {
      return NONE;
    }
    return switch (fields.type()) {
      case "Sequence" -> sequence(fields.objects("normalizers"));
      case "NFC" -> text -> form(text, Normalizer.Form.NFC);
      case "NFD" -> text -> form(text, Normalizer.Form.NFD);
      case "NFKC" -> text -> form(text, Normalizer.Form.NFKC);
      case "NFKD" -> text -> form(text, Normalizer.Form.NFKD);
      case "Lowercase" -> TextNormalizer::lowercase;
      case "Strip" -> strip(fields.flag("strip_left", true), fields.flag("strip_right", true));
      case "StripAccents" -> text -> without(text, CharacterClasses::isMark);
      case "BertNormalizer" -> bert(fields);
      case "Nmt" -> TextNormalizer::nmt;
      case "ByteLevel" -> text -> ByteAlphabet.spell(text.getBytes(StandardCharsets.UTF_8));
      case "Prepend" -> {
        String before = fields.text("prepend");
        yield text -> text.isEmpty() ? text : before + text;
      }
      case "Replace" -> {
        TextPattern pattern = TextPattern.of(fields);
        String content = fields.text("content");
        yield text -> pattern.replace(text, content);
      }
      case "Precompiled" -> PrecompiledMap.of(fields);
      default ->
          throw fields.unknownType(
              "BertNormalizer",
              "ByteLevel",
              "Lowercase",
              "NFC",
              "NFD",
              "NFKC",
              "NFKD",
              "Nmt",
              "Precompiled",
              "Prepend",
              "Replace",
              "Sequence",
              "Strip",
              "StripAccents");
    };
  }

  private static TextNormalizer sequence(List<JsonFields> parts) {
    List<TextNormalizer> all = parts.stream().map(TextNormalizer::of).toList();
    return text -> {
      String changed = text;
      for (TextNormalizer normalizer : all) {
        changed = normalizer.apply(changed);
      }
      return changed;
    };
  }

  /**
   * A normal form of Unicode. Java sorts marks after a character in quadratic time, so that a run
   * of more marks than any writing has is taken in parts.
   */
  private static String form(String text, Normalizer.Form form) {
    StringBuilder formed = new StringBuilder(text.length());
    int from = 0;
    int marks = 0;
    for (int at = 0; at < text.length(); ) {
      int c = text.codePointAt(at);
      marks = CharacterClasses.isMark(c) ? marks + 1 : 0;
      if (marks == LONGEST_MARKS) {
        formed.append(Normalizer.normalize(text.substring(from, at), form));
        from = at;
        marks = 0;
      }
      at += Character.charCount(c);
    }
    String rest = Normalizer.normalize(text.substring(from), form);
    return formed.isEmpty() ? rest : formed.append(rest).toString();
  }

  private static String without(String text, IntPredicate removed) {
    StringBuilder kept = new StringBuilder(text.length());
    text.codePoints().filter(c -> !removed.test(c)).forEach(kept::appendCodePoint);
    return kept.toString();
  }

  /** Each character by itself, so that a sigma at the end of a word is as any other. */
  private static String lowercase(String text) {
    StringBuilder lower = new StringBuilder(text.length());
    IntConsumer add =
        c -> {
          if (c == 0x130) {
            lower.append("i\u0307");
          } else {
            lower.appendCodePoint(Character.toLowerCase(c));
          }
        };
    text.codePoints().forEach(add);
    return lower.toString();
  }

  private static TextNormalizer strip(boolean left, boolean right) {
    return text -> {
      int from = 0;
      int to = text.length(); // all characters of space are one unit long
      while (left && from < to && CharacterClasses.isSpace(text.charAt(from))) {
        from++;
      }
      while (right && from < to && CharacterClasses.isSpace(text.charAt(to - 1))) {
        to--;
      }
      return text.substring(from, to);
    };
  }

  private static TextNormalizer bert(JsonFields fields) {
    boolean clean = fields.flag("clean_text", true);
    boolean chinese = fields.flag("handle_chinese_chars", true);
    boolean lower = fields.flag("lowercase", true);
    boolean accents = fields.flag("strip_accents", lower);
    return text -> {
      StringBuilder changed = new StringBuilder(text.length());
      IntConsumer add =
          c -> {
            if (clean && (c == 0 || c == 0xFFFD || CharacterClasses.isControl(c))) {
              return;
            }
            if (clean && CharacterClasses.isSpace(c)) {
              changed.append(' ');
            } else if (chinese && CharacterClasses.isChinese(c)) {
              changed.append(' ').appendCodePoint(c).append(' ');
            } else {
              changed.appendCodePoint(c);
            }
          };
      text.codePoints().forEach(add);
      String result = changed.toString();
      if (accents) {
        result = without(form(result, Normalizer.Form.NFD), CharacterClasses::isNonspacingMark);
      }
      return lower ? lowercase(result) : result;
    };
  }

  /** The rules of the neural machine translation of SentencePiece. */
  private static String nmt(String text) {
    StringBuilder changed = new StringBuilder(text.length());
    IntConsumer add =
        c -> {
          if (!NMT_REMOVED.get(c)) {
            changed.appendCodePoint(NMT_SPACE.get(c) ? ' ' : c);
          }
        };
    text.codePoints().forEach(add);
    return changed.toString();
  }
}
