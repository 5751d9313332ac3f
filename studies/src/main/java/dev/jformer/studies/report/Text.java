package dev.jformer.studies.report;

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

  /** Escapes text for a cell of a Markdown table. */
  static String cell(String text) {
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;");
  }
}
