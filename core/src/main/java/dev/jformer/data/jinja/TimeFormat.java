package dev.jformer.data.jinja;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;

/** Times as C's {@code strftime} writes them in English. */
final class TimeFormat {
  private static final Map<Character, String> PATTERNS =
      Map.ofEntries(
          Map.entry('a', "EEE"),
          Map.entry('A', "EEEE"),
          Map.entry('b', "MMM"),
          Map.entry('h', "MMM"),
          Map.entry('B', "MMMM"),
          Map.entry('c', "EEE MMM ppd HH:mm:ss yyyy"),
          Map.entry('d', "dd"),
          Map.entry('D', "MM/dd/yy"),
          Map.entry('e', "ppd"),
          Map.entry('F', "yyyy-MM-dd"),
          Map.entry('H', "HH"),
          Map.entry('I', "hh"),
          Map.entry('j', "DDD"),
          Map.entry('m', "MM"),
          Map.entry('M', "mm"),
          Map.entry('p', "a"),
          Map.entry('S', "ss"),
          Map.entry('T', "HH:mm:ss"),
          Map.entry('x', "MM/dd/yy"),
          Map.entry('X', "HH:mm:ss"),
          Map.entry('y', "yy"),
          Map.entry('Y', "yyyy"));

  private TimeFormat() {}

  /**
   * Writes a time.
   *
   * @param format with the directives for dates and times of day; those for time zones give
   *     nothing, as for a time without one
   * @throws JinjaException if a directive is not known
   */
  static String write(String format, ZonedDateTime time) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      char letter = format.charAt(++i);
      boolean unpadded = letter == '-' && i + 1 < format.length();
      if (unpadded) {
        letter = format.charAt(++i);
      }
      String text = directive(letter, time);
      out.append(unpadded ? text.replaceFirst("^[0 ]+(?=.)", "") : text);
    }
    return out.toString();
  }

  private static String directive(char letter, ZonedDateTime time) {
    if (letter == '%') {
      return "%";
    }
    if (letter == 'Z' || letter == 'z') {
      return "";
    }
    if (letter == 'f') {
      return String.format(Locale.ROOT, "%06d", time.getNano() / 1000);
    }
    if (letter == 'u' || letter == 'w') {
      int day = time.getDayOfWeek().getValue();
      return Integer.toString(letter == 'w' ? day % 7 : day);
    }
    String pattern = PATTERNS.get(letter);
    if (pattern == null) {
      throw new JinjaException(
          "the format of a time has '%" + letter + "', which is not supported");
    }
    return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
  }
}
