package dev.jformer.data.jinja;

/** Escape sequences of Python's strings. */
final class Escapes {
  private static final String LETTERS = "abfnrtv\\'\"";
  private static final String MEANINGS = "\u0007\b\f\n\r\t\u000b\\'\"";

  private Escapes() {}

  /**
   * Replaces the escape sequences of a string literal.
   *
   * @param text between the quotes
   * @throws JinjaException if a hexadecimal sequence is cut off or names no character
   */
  static String decode(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char letter = text.charAt(++i);
      int known = LETTERS.indexOf(letter);
      int digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
      if (known >= 0) {
        out.append(MEANINGS.charAt(known));
      } else if (digits > 0) {
        out.appendCodePoint(hexadecimal(text, i + 1, digits));
        i += digits;
      } else if (letter >= '0' && letter <= '7') {
        int end = i + 1;
        while (end < text.length() && end < i + 3 && isOctal(text.charAt(end))) {
          end++;
        }
        out.append((char) Integer.parseInt(text.substring(i, end), 8));
        i = end - 1;
      } else if (letter != '\n') { // a line that goes on
        out.append(c).append(letter);
      }
    }
    return out.toString();
  }

  private static boolean isOctal(char c) {
    return c >= '0' && c <= '7';
  }

  private static int hexadecimal(String text, int from, int digits) {
    int end = from + digits;
    if (end <= text.length()) {
      try {
        long value = Long.parseUnsignedLong(text.substring(from, end), 16);
        if (value <= Character.MAX_CODE_POINT) {
          return (int) value;
        }
      } catch (NumberFormatException e) {
        // reported below
      }
    }
    throw new JinjaException(
        "the escape sequence '\\"
            + text.substring(from - 1, Math.min(end, text.length()))
            + "' names no character");
  }
}
