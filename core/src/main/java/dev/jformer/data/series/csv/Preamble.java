package dev.jformer.data.series.csv;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What stands before the rows of a CSV file: a line {@code sep=;}, as spreadsheets write it, and
 * comments, lines that begin with {@code #}.
 *
 * @param lines number of lines before the header or the first row
 * @param separator the character that the file says is between fields; null if it says none
 * @param lastComment the last line of the comments, which may name the columns; null for none
 */
record Preamble(int lines, Character separator, String lastComment) {
  private static final String SEPARATOR = "sep=";

  /** Finds what stands before the rows in the beginning of a file. */
  static Preamble of(String text) {
    int lines = 0;
    Character separator = null;
    String comment = null;
    for (String line : first(text)) {
      String plain = line.replace("\"", "");
      if (lines == 0
          && plain.length() == SEPARATOR.length() + 1
          && plain.toLowerCase(Locale.ROOT).startsWith(SEPARATOR)) {
        separator = plain.charAt(SEPARATOR.length());
      } else if (isComment(line)) {
        comment = line;
      } else {
        break;
      }
      lines++;
    }
    return new Preamble(lines, separator, comment);
  }

  static boolean isComment(String line) {
    return line.startsWith("#");
  }

  /** The lines up to the first one that belongs to the rows. */
  private static List<String> first(String text) {
    List<String> lines = new ArrayList<>();
    text.lines().takeWhile(line -> lines.isEmpty() || isComment(line)).forEach(lines::add);
    return lines;
  }

  /** This preamble without its last comment, which is the header. */
  Preamble withoutLast() {
    return new Preamble(lines - 1, separator, null);
  }
}
