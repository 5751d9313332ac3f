package dev.jformer.studies.report;

import dev.jformer.studies.evidence.Claim;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.evidence.Picture;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.evidence.Verdict;
import java.util.List;
import java.util.Locale;

/**
 * Writes a report as one HTML page without scripts or links to other files, for large and small
 * screens and dark mode.
 */
final class HtmlReport {
  private static final String STYLE =
      """
      :root{color-scheme:light dark;--ink:#1b1f24;--soft:#5c646e;--page:#fff;--rule:#d9dde3;--band:#f4f6f8;
      --good:#0a6b3d;--goodback:#e2f5ea;--bad:#9a2b16;--badback:#fdeae5;--even:#6b4e00;--evenback:#fbf1d3}
      @media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a3abb5;--page:#16191d;--rule:#3a4048;
      --band:#1f2429;--good:#7fe0ad;--goodback:#10301f;--bad:#ffab98;--badback:#3d1a12;--even:#f0cf7a;--evenback:#33290d}}
      *{box-sizing:border-box}
      body{margin:0 auto;max-width:62rem;padding:1.2rem;color:var(--ink);background:var(--page);
      font:16px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}
      h1{font-size:1.6rem;line-height:1.25;margin:.4rem 0}h2{font-size:1.15rem;margin:2rem 0 .6rem}
      .summary{font-size:1.1rem;border-left:4px solid #3aa0dc;padding-left:.8rem}
      .facts{color:var(--soft);font-size:.9rem;overflow-wrap:anywhere}
      .claim{border:1px solid var(--rule);border-radius:8px;padding:.7rem .9rem;margin:.6rem 0}
      .claim p{margin:.25rem 0}.claim .detail{color:var(--soft);font-size:.92rem}
      .verdict{display:inline-block;border-radius:999px;padding:0 .6rem;font-size:.85rem;font-weight:600}
      .holds{color:var(--good);background:var(--goodback)}.fails{color:var(--bad);background:var(--badback)}
      .apart{color:var(--even);background:var(--evenback)}
      .open{color:var(--soft);background:var(--band)}
      .scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
      th,td{text-align:right;padding:.32rem .7rem;border-bottom:1px solid var(--rule);white-space:nowrap}
      th:first-child,td:first-child{text-align:left}td,th{overflow-wrap:normal}th{color:var(--soft);font-weight:600}
      figure{margin:1rem 0}svg{width:100%;height:auto;display:block}img{max-width:100%;image-rendering:pixelated}
      figcaption{font-size:.95rem;font-weight:600;margin-bottom:.3rem}
      pre{background:var(--band);border-radius:8px;padding:.7rem .9rem;font-size:.85rem;line-height:1.45;
      white-space:pre-wrap;overflow-wrap:anywhere}
      code{background:var(--band);border-radius:4px;padding:.1rem .3rem;overflow-wrap:anywhere}
      """;

  private HtmlReport() {}

  static String of(Evidence e, List<Appendix> appendices) {
    StringBuilder page = new StringBuilder();
    page.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>")
        .append(Text.html(e.title()))
        .append("</title>\n<style>\n")
        .append(STYLE)
        .append(Plot.STYLE)
        .append("</style></head><body>\n<h1>")
        .append(Text.html(e.title()))
        .append("</h1>\n<p class=\"summary\">")
        .append(Text.html(e.summary()))
        .append("</p>\n")
        .append(facts(e));
    if (!e.claims().isEmpty()) {
      page.append("<h2>Claims</h2>\n");
      e.claims().forEach(claim -> page.append(claim(claim, e.verdict(claim))));
    }
    if (!e.tables().isEmpty()) {
      page.append("<h2>Measured</h2>\n");
      e.tables().forEach(table -> page.append(table(table)));
    }
    for (Figure figure : e.figures()) {
      page.append("<figure><figcaption>")
          .append(Text.html(figure.title()))
          .append("</figcaption>\n")
          .append(Plot.inline(figure))
          .append("</figure>\n");
    }
    e.pictures().forEach(picture -> page.append(picture(picture)));
    if (!e.notes().isEmpty()) {
      page.append("<h2>Notes</h2>\n<ul>\n");
      e.notes().forEach(note -> page.append("<li>").append(Text.html(note)).append("</li>\n"));
      page.append("</ul>\n");
    }
    for (Appendix appendix : appendices) {
      page.append("<h2>")
          .append(Text.html(appendix.title()))
          .append("</h2>\n<pre tabindex=\"0\">")
          .append(Text.html(appendix.text()))
          .append("</pre>\n");
    }
    return page.append("</body></html>\n").toString();
  }

  private static String picture(Picture picture) {
    String title = Text.html(picture.title());
    return "<figure><figcaption>"
        + title
        + "</figcaption>\n<img alt=\""
        + title
        + "\" src=\"data:image/png;base64,"
        + picture.png()
        + "\"></figure>\n";
  }

  private static String facts(Evidence e) {
    Machine m = e.machine();
    return String.format(
        Locale.ROOT,
        "<p class=\"facts\">%s%s, %d threads, %s, Java %s · %s · %.0f s of measuring<br>"
            + "<code>%s</code>%s</p>%n",
        e.scale().isEmpty() ? "" : Text.html(e.scale()) + " scale · ",
        Text.html(m.processor()),
        m.threads(),
        Text.html(m.system()),
        Text.html(m.java()),
        Text.html(e.date()),
        e.seconds(),
        Text.html(e.command()),
        e.version().isEmpty() ? "" : ", version " + Text.html(e.version()));
  }

  private static String claim(Claim claim, Verdict verdict) {
    StringBuilder text = new StringBuilder("<div class=\"claim\"><p><span class=\"verdict ");
    text.append(verdict.style()).append("\">").append(verdict.words()).append("</span> ");
    text.append(Text.html(claim.sentence())).append("</p>\n<p class=\"detail\">Here: ");
    text.append(Text.html(claim.check().inFull()));
    if (!claim.paper().isEmpty()) {
      text.append(". Paper: ").append(Text.html(claim.paper()));
    }
    if (!claim.control().isEmpty()) {
      text.append(". Control: ").append(Text.html(claim.control()));
    }
    text.append("</p>");
    if (!claim.remark().isEmpty()) {
      text.append("<p class=\"detail\">").append(Text.html(claim.remark())).append("</p>");
    }
    return text.append("</div>\n").toString();
  }

  private static String table(Table table) {
    StringBuilder text = new StringBuilder("<figure><figcaption>");
    text.append(Text.html(table.title()));
    text.append("</figcaption><div class=\"scroll\" tabindex=\"0\"><table>\n<thead>");
    row(text, "th", table.columns());
    text.append("</thead><tbody>\n");
    for (List<String> cells : table.rows()) {
      row(text, "td", cells);
    }
    return text.append("</tbody></table></div></figure>\n").toString();
  }

  private static void row(StringBuilder text, String tag, List<String> cells) {
    text.append("<tr>");
    for (String cell : cells) {
      text.append('<').append(tag).append('>').append(Text.html(cell));
      text.append("</").append(tag).append('>');
    }
    text.append("</tr>\n");
  }
}
