package dev.jformer.studies.pages;

import java.util.List;

/** Formats tables, links and code as Markdown. */
final class Markdown {
  private Markdown() {}

  /** Formats a table. */
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

  /** Formats lines as a code block. */
  static String block(List<String> lines) {
    return "```\n" + String.join("\n", lines) + "\n```\n";
  }
}
