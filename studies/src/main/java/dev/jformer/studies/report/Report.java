package dev.jformer.studies.report;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.io.AtomicFile;
import dev.jformer.studies.evidence.Claim;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Picture;
import dev.jformer.studies.evidence.Table;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Writes the results of a study as HTML, Markdown, JSON and text. */
public final class Report {
  private Report() {}

  /** Returns the report as one HTML page that needs no other files. */
  public static String html(Evidence evidence) {
    return html(evidence, List.of());
  }

  /** Returns the report as one HTML page that ends with texts. */
  public static String html(Evidence evidence, List<Appendix> appendices) {
    return HtmlReport.of(evidence, appendices);
  }

  /**
   * Writes {@code SLUG.html}, {@code SLUG.md} with its figures and pictures as SVG, and {@code
   * SLUG.json}; each file is replaced atomically.
   *
   * @throws IOException if a file cannot be written
   */
  public static void write(Evidence evidence, Path folder) throws IOException {
    Files.createDirectories(folder);
    put(folder.resolve(evidence.slug() + ".html"), html(evidence));
    for (int i = 0; i < evidence.figures().size(); i++) {
      Path file = folder.resolve(MarkdownReport.figureFile(evidence, i));
      put(file, Plot.file(evidence.figures().get(i)));
    }
    for (int i = 0; i < evidence.pictures().size(); i++) {
      Path file = folder.resolve(MarkdownReport.pictureFile(evidence, i));
      put(file, picture(evidence.pictures().get(i)));
    }
    put(folder.resolve(evidence.slug() + ".md"), MarkdownReport.of(evidence));
    put(
        folder.resolve(evidence.slug() + ".json"),
        new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsString(evidence) + "\n");
  }

  /** A picture as SVG, so that all files of a report that are shown are of one kind. */
  private static String picture(Picture picture) {
    return String.format(
        Locale.ROOT,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\""
            + " height=\"%d\"><image width=\"100%%\" height=\"100%%\""
            + " style=\"image-rendering:pixelated\" href=\"data:image/png;base64,%s\"/></svg>%n",
        picture.width(),
        picture.height(),
        picture.width(),
        picture.height(),
        picture.png());
  }

  private static void put(Path file, String text) throws IOException {
    AtomicFile.write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  /** Returns the tables and claims as plain text for a terminal. */
  public static String text(Evidence evidence) {
    StringBuilder text = new StringBuilder();
    for (Table table : evidence.tables()) {
      text.append(table.title()).append('\n');
      int[] widths = widths(table);
      line(text, table.columns(), widths);
      table.rows().forEach(row -> line(text, row, widths));
      text.append('\n');
    }
    for (Claim claim : evidence.claims()) {
      text.append(evidence.verdict(claim).words())
          .append(": ")
          .append(claim.sentence())
          .append("\n    ")
          .append(claim.check().inFull());
      if (!claim.paper().isEmpty()) {
        text.append(" (paper: ").append(claim.paper()).append(')');
      }
      if (!claim.control().isEmpty()) {
        text.append("\n    control: ").append(claim.control());
      }
      text.append(claim.remark().isEmpty() ? "\n" : "\n    " + claim.remark() + "\n");
    }
    return text.append('\n').append(evidence.summary()).append('\n').toString();
  }

  private static int[] widths(Table table) {
    int[] widths = new int[table.columns().size()];
    for (int i = 0; i < widths.length; i++) {
      widths[i] = table.columns().get(i).length();
      for (List<String> row : table.rows()) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    return widths;
  }

  private static void line(StringBuilder text, List<String> cells, int[] widths) {
    for (int i = 0; i < widths.length; i++) {
      String padding = " ".repeat(widths[i] - cells.get(i).length());
      text.append(i == 0 ? "  " + cells.get(i) + padding : "  " + padding + cells.get(i));
    }
    text.append('\n');
  }
}
