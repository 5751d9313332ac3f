package dev.jformer.data.series.csv;

import java.util.Locale;
import java.util.Set;

/**
 * Reads numbers as people write them: a sign, digits in groups of three or not, a decimal sign, an
 * exponent. It creates no objects for numbers of 18 digits or fewer.
 */
final class NumberText {
  /** The kind of a text. */
  enum Kind {
    NUMBER,
    MISSING,
    /** A number above 3.4e38, the largest of float32, or infinite. */
    TOO_LARGE,
    TEXT
  }

  /** How a number is written. */
  enum Shape {
    /** Up to three digits. */
    SMALL,
    /** One digit to three, the decimal sign and three digits: perhaps thousands. */
    LIKE_THOUSANDS,
    /** Another number with a decimal sign or an exponent. */
    DECIMAL,
    /** Another number. */
    WHOLE
  }

  /** The words for a missing value, in lower case; an empty text also means missing. */
  private static final Set<String> MISSING =
      Set.of(
          "na", "n/a", "#n/a", "nan", "-nan", "nat", "null", "none", "nil", "-", "--", "?", ".",
          "<na>", "missing");

  private static final double[] POWERS = new double[23];

  static {
    POWERS[0] = 1;
    for (int i = 1; i < POWERS.length; i++) {
      POWERS[i] = POWERS[i - 1] * 10;
    }
  }

  private final char decimal;
  private final char group;
  private double value;
  private Shape shape = Shape.WHOLE;

  NumberText(boolean decimalComma) {
    decimal = decimalComma ? ',' : '.';
    group = decimalComma ? '.' : ',';
  }

  /** The number that was read; NaN if it is missing. */
  double value() {
    return value;
  }

  /** How the number that was read is written. */
  Shape shape() {
    return shape;
  }

  Kind read(String text) {
    return read(text.toCharArray(), 0, text.length());
  }

  /** Reads {@code length} characters from {@code from} on. Blanks around them are ignored. */
  Kind read(char[] text, int from, int length) {
    int at = from;
    int end = from + length;
    while (at < end && TimeText.isBlank(text[at])) {
      at++;
    }
    while (at < end && TimeText.isBlank(text[end - 1])) {
      end--;
    }
    value = Double.NaN;
    if (at == end) {
      return Kind.MISSING;
    }
    int first = at;
    boolean negative = text[at] == '-' || text[at] == '\u2212';
    if (negative || text[at] == '+') {
      at++;
    }
    long mantissa = 0;
    int digits = 0;
    int exponent = 0;
    int whole = at;
    int grouped = -1; // where the last group of three began
    for (; at < end; at++) {
      char c = text[at];
      if (c >= '0' && c <= '9') {
        mantissa = digits < 18 ? mantissa * 10 + c - '0' : mantissa;
        digits += mantissa > 0 ? 1 : 0;
      } else if (c == group || (TimeText.isBlank(c) && c != '\t') || c == '\'') {
        if (grouped < 0 ? at == whole || at - whole > 3 : at - grouped != 4) {
          return other(text, first, end);
        }
        grouped = at;
      } else {
        break;
      }
    }
    boolean any = at > whole;
    int wholeDigits = at - whole;
    shape = wholeDigits <= 3 ? Shape.SMALL : Shape.WHOLE;
    if (grouped >= 0 && at - grouped != 4) {
      return other(text, first, end);
    }
    if (at < end && text[at] == decimal) {
      int point = at++;
      for (; at < end && text[at] >= '0' && text[at] <= '9'; at++) {
        mantissa = digits < 18 ? mantissa * 10 + text[at] - '0' : mantissa;
        exponent -= digits < 18 ? 1 : 0;
        digits += mantissa > 0 ? 1 : 0;
      }
      any |= at > point + 1;
      boolean three = at == point + 4 && shape == Shape.SMALL && wholeDigits > 0;
      shape = three && text[whole] != '0' ? Shape.LIKE_THOUSANDS : Shape.DECIMAL;
    }
    if (!any) {
      return other(text, first, end);
    }
    if (at < end && (text[at] == 'e' || text[at] == 'E')) {
      at++;
      boolean down = at < end && text[at] == '-';
      if (at < end && (down || text[at] == '+')) {
        at++;
      }
      int power = 0;
      int mark = at;
      for (; at < end && text[at] >= '0' && text[at] <= '9'; at++) {
        power = Math.min(100_000, power * 10 + text[at] - '0');
      }
      if (at == mark) {
        return other(text, first, end);
      }
      exponent += down ? -power : power;
      shape = Shape.DECIMAL;
    }
    if (at < end) {
      return other(text, first, end);
    }
    double number = scaled(text, first, end, mantissa, digits, exponent);
    value = negative ? -number : number;
    if (Math.abs(value) > Float.MAX_VALUE) {
      value = Double.NaN;
      return Kind.TOO_LARGE;
    }
    return Kind.NUMBER;
  }

  /**
   * Computed exactly if 53 bits and a power of ten that a double holds suffice, else by the JDK.
   */
  private double scaled(char[] text, int first, int end, long mantissa, int digits, int exponent) {
    if (digits <= 18 && mantissa < 1L << 53 && Math.abs(exponent) < POWERS.length) {
      return exponent < 0 ? mantissa / POWERS[-exponent] : mantissa * POWERS[exponent];
    }
    StringBuilder plain = new StringBuilder();
    for (int i = first; i < end; i++) {
      char c = text[i];
      if (c == decimal) {
        plain.append('.');
      } else if ((c >= '0' && c <= '9')
          || c == 'e'
          || c == 'E'
          || isSignOfExponent(text, i, first)) {
        plain.append(c);
      }
    }
    return Double.parseDouble(plain.toString());
  }

  private static boolean isSignOfExponent(char[] text, int at, int first) {
    return at > first
        && (text[at] == '-' || text[at] == '+')
        && (text[at - 1] == 'e' || text[at - 1] == 'E');
  }

  private static Kind other(char[] text, int from, int end) {
    if (end - from > 9) {
      return Kind.TEXT;
    }
    String word = new String(text, from, end - from).toLowerCase(Locale.ROOT);
    if (MISSING.contains(word)) {
      return Kind.MISSING;
    }
    String plain = word.startsWith("-") || word.startsWith("+") ? word.substring(1) : word;
    return plain.equals("inf") || plain.equals("infinity") || plain.equals("∞")
        ? Kind.TOO_LARGE
        : Kind.TEXT;
  }
}
