package dev.jformer.studies.pages;

import java.util.List;

/** Pieces of Markdown. */
final class Markdown {
  private Markdown() {}

  /** A table. */
  static String table(List<String> columns, List<List<String>> rows) {
    StringBuilder text = new StringBuilder(row(columns));
    text.append("| --- ".repeat(columns.size())).append("|\n");
    rows.forEach(cells -> text.append(row(cells)));
    return text.toString();
  }

  private static String row(List<String> cells) {
    return "| " + String.join(" | ", cells.stream().map(Markdown::cell).toList()) + " |\n";
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;");
  }

  static String code(String text) {
    return "`" + text + "`";
  }

  static String link(String text, String target) {
    return "[" + text + "](" + target + ")";
  }

  /** Lines of code, set off from the text. */
  static String block(List<String> lines) {
    return "```\n" + String.join("\n", lines) + "\n```\n";
  }
}
