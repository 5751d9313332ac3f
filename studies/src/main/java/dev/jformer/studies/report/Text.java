package dev.jformer.studies.report;

import java.util.Locale;

/** Escapes text for HTML and Markdown. */
final class Text {
  private Text() {}

  /** Escapes text for HTML and SVG. */
  static String html(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }

  /** Escapes text for a line of Markdown, in which HTML and links would be live otherwise. */
  static String markdown(String text) {
    return line(text)
        .replaceAll("&(?=#?\\w+;)", "&amp;")
        .replace("<", "&lt;")
        .replaceAll("\\[(?=[^\\]]*\\]\\()", "\\\\[");
  }

  /** Text in one line. */
  static String line(String text) {
    return text.replaceAll("\\R", " ");
  }

  /** Escapes text for a cell of a Markdown table. */
  static String cell(String text) {
    return markdown(text.replace("\\", "\\\\")).replace("|", "\\|");
  }

  /** Escapes a file's name for a link in Markdown. */
  static String link(String file) {
    StringBuilder link = new StringBuilder();
    file.codePoints()
        .forEach(
            c -> {
              if (c <= ' ' || "()<>\"\\%#?".indexOf(c) >= 0) {
                link.append(String.format(Locale.ROOT, "%%%02X", c));
              } else {
                link.appendCodePoint(c);
              }
            });
    return link.toString();
  }
}
