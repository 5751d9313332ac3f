package dev.jformer.studies.report;

/** Text as other formats want it. */
final class Text {
  private Text() {}

  /** For HTML and SVG. */
  static String html(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }

  /** For a cell of a table in Markdown. */
  static String cell(String text) {
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;");
  }
}
