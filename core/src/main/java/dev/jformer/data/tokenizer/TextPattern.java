package dev.jformer.data.tokenizer;

import dev.jformer.data.DataException;
import java.util.function.IntPredicate;

/**
 * What a tokenizer looks for in a text: a literal, a class of characters or a regular expression.
 */
@FunctionalInterface
interface TextPattern {
  /** Receives the parts of a text, in order; together they are the whole text. */
  @FunctionalInterface
  interface Parts {
    void add(int start, int end, boolean isMatch);
  }

  /** Finds all matches, from left to right, which do not overlap. */
  void find(String text, Parts parts);

  /**
   * The field {@code pattern} of a part: an object with either {@code String} or {@code Regex}.
   *
   * @throws DataException if it is neither, or empty, or no regular expression
   */
  static TextPattern of(JsonFields fields) {
    JsonFields pattern = fields.required("pattern");
    if (pattern.has("Regex")) {
      return RegexPattern.of(pattern.text("Regex"), pattern.path() + ".Regex");
    }
    String literal = pattern.text("String");
    if (literal.isEmpty()) {
      throw new DataException(pattern.path() + ".String is empty: expected a text to look for");
    }
    return (text, parts) -> literal(literal, text, parts);
  }

  private static void literal(String literal, String text, Parts parts) {
    int from = 0;
    for (int at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, from)) {
      if (at > from) {
        parts.add(from, at, false);
      }
      from = at + literal.length();
      parts.add(at, from, true);
    }
    if (from < text.length()) {
      parts.add(from, text.length(), false);
    }
  }

  /** Matches each single character of a class. */
  static TextPattern characters(IntPredicate isMatch) {
    return (text, parts) -> {
      int from = 0;
      for (int at = 0; at < text.length(); ) {
        int c = text.codePointAt(at);
        int next = at + Character.charCount(c);
        if (isMatch.test(c)) {
          if (at > from) {
            parts.add(from, at, false);
          }
          parts.add(at, next, true);
          from = next;
        }
        at = next;
      }
      if (from < text.length()) {
        parts.add(from, text.length(), false);
      }
    };
  }

  /** Matches what this does not match. */
  default TextPattern inverted() {
    return (text, parts) -> find(text, (start, end, isMatch) -> parts.add(start, end, !isMatch));
  }

  /** A text with its matches replaced. */
  default String replace(String text, String content) {
    StringBuilder changed = new StringBuilder(text.length());
    find(
        text,
        (start, end, isMatch) -> {
          if (isMatch) {
            changed.append(content);
          } else {
            changed.append(text, start, end);
          }
        });
    return changed.toString();
  }
}
