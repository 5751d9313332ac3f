package dev.jformer.data.jinja;

import java.util.function.IntPredicate;

/** White space as Python's strings know it. */
final class Characters {
  private Characters() {}

  static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  /** Whether nothing but white space follows. */
  static boolean isBlank(String text, int from) {
    return text.chars().skip(from).allMatch(Characters::isSpace);
  }

  static String strip(String text) {
    return stripStart(stripEnd(text));
  }

  static String stripStart(String text) {
    return stripStart(text, Characters::isSpace);
  }

  static String stripEnd(String text) {
    return stripEnd(text, Characters::isSpace);
  }

  static String stripStart(String text, IntPredicate removed) {
    int start = 0;
    while (start < text.length() && removed.test(text.codePointAt(start))) {
      start += Character.charCount(text.codePointAt(start));
    }
    return text.substring(start);
  }

  static String stripEnd(String text, IntPredicate removed) {
    int end = text.length();
    while (end > 0 && removed.test(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(0, end);
  }
}
