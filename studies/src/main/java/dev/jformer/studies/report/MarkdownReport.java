package dev.jformer.studies.report;

import dev.jformer.studies.evidence.Claim;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.evidence.Table;
import java.util.List;
import java.util.Locale;

/** The report as Markdown; its figures are files beside it. */
final class MarkdownReport {
  private MarkdownReport() {}

  /** The file name of a figure, counted from 0. */
  static String figureFile(Evidence e, int figure) {
    return e.slug() + (e.figures().size() == 1 ? "" : "-" + (figure + 1)) + ".svg";
  }

  /** The file name of a picture, counted from 0. */
  static String pictureFile(Evidence e, int picture) {
    return e.slug() + "-picture" + (e.pictures().size() == 1 ? "" : "-" + (picture + 1)) + ".svg";
  }

  static String of(Evidence e) {
    Machine m = e.machine();
    StringBuilder text = new StringBuilder("# ").append(Text.markdown(e.title())).append("\n\n");
    text.append(Text.markdown(e.summary())).append("\n\n");
    text.append(
        String.format(
            Locale.ROOT,
            "%s%s, %d threads, %s, Java %s; %s; %.0f s of measuring%s. Made by%n%n    %s%n",
            e.scale().isEmpty() ? "" : e.scale() + " scale. ",
            Text.markdown(m.processor()),
            m.threads(),
            m.system(),
            m.java(),
            e.date(),
            e.seconds(),
            e.version().isEmpty() ? "" : "; version " + e.version(),
            Text.line(e.command())));
    if (!e.claims().isEmpty()) {
      text.append("\n## Claims\n\n| claim | verdict | measured here | paper |\n")
          .append("| --- | --- | --- | --- |\n");
      for (Claim claim : e.claims()) {
        row(
            text,
            List.of(claim.sentence(), e.verdict(claim).words(), measured(claim), claim.paper()));
      }
    }
    for (Table table : e.tables()) {
      text.append("\n## ").append(Text.markdown(table.title())).append("\n\n");
      row(text, table.columns());
      text.append("| ---").append(" | ---:".repeat(table.columns().size() - 1)).append(" |\n");
      table.rows().forEach(cells -> row(text, cells));
    }
    for (int i = 0; i < e.figures().size(); i++) {
      String title = Text.markdown(e.figures().get(i).title());
      text.append("\n## ").append(title).append("\n\n![");
      text.append(title.replaceAll("\\\\?[\\[\\]]", ""));
      text.append("](").append(Text.link(figureFile(e, i))).append(")\n");
    }
    for (int i = 0; i < e.pictures().size(); i++) {
      String title = Text.markdown(e.pictures().get(i).title());
      text.append("\n## ").append(title).append("\n\n![");
      text.append(title.replaceAll("\\\\?[\\[\\]]", ""));
      text.append("](").append(Text.link(pictureFile(e, i))).append(")\n");
    }
    if (!e.notes().isEmpty()) {
      text.append("\n## Notes\n\n");
      e.notes().forEach(note -> text.append("- ").append(Text.markdown(note)).append('\n'));
    }
    return text.toString();
  }

  private static String measured(Claim claim) {
    String control = claim.control().isEmpty() ? "" : ". Control: " + claim.control();
    String remark = claim.remark().isEmpty() ? "" : ". " + claim.remark();
    return claim.check().inFull() + control + remark;
  }

  private static void row(StringBuilder text, List<String> cells) {
    text.append("| ");
    text.append(String.join(" | ", cells.stream().map(Text::cell).toList()));
    text.append(" |\n");
  }
}
