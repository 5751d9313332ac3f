package dev.jformer.app.command;

import dev.jformer.studies.pages.Finding;
import dev.jformer.studies.pages.PaperSheet;
import dev.jformer.studies.pages.SwitchOn;

/** What {@code jformer papers NAME} prints. Lines that are to be copied stay whole. */
final class PaperText {
  private static final int WIDTH = 100;
  private static final String COPIED = "  ";
  private static final String WRAPPED = "   ";

  private final StringBuilder text = new StringBuilder();

  private PaperText() {}

  static String of(PaperSheet sheet) {
    PaperText text = new PaperText();
    text.head(sheet);
    if (!sheet.classes().isEmpty()) {
      text.technique(sheet);
    }
    if (!sheet.summary().isEmpty()) {
      text.results(sheet);
    }
    return sheet.title() + "\n" + Paragraphs.wrap(text.text.toString(), WIDTH);
  }

  private void head(PaperSheet sheet) {
    if (!sheet.link().isEmpty()) {
      line(COPIED, sheet.link());
    }
    line(COPIED, sheet.stage() + ", " + sheet.family() + ", " + sheet.status());
    if (!sheet.about().isEmpty()) {
      text.append('\n');
      sheet.about().forEach(about -> line(COPIED, about));
    }
  }

  private void technique(PaperSheet sheet) {
    section("When to use it");
    line(WRAPPED, sheet.when());
    section("Classes");
    for (PaperSheet.ImplementingClass type : sheet.classes()) {
      line(COPIED, type.name());
      line(WRAPPED + "   ", type.summary());
    }
    section("Switch it on");
    for (SwitchOn on : sheet.switchOn()) {
      line(COPIED, on.variant() + ":  " + String.join(" ", on.options()));
      line(COPIED, on.variant() + ":  " + on.recipe());
    }
    if (!sheet.compare().isEmpty()) {
      line(COPIED, "jformer compare --with " + sheet.compare());
    }
    sheet.compressCommands().forEach(command -> line(COPIED, command));
    section("Try it");
    line(COPIED, sheet.command());
  }

  private void results(PaperSheet sheet) {
    section("What it gains and costs here (" + sheet.measured() + ")");
    for (Finding f : sheet.findings()) {
      String beside = f.against().isEmpty() ? "" : "; " + f.against() + ": " + f.otherFigure();
      String difference = f.difference().isEmpty() ? "" : " (" + f.difference() + ")";
      line(WRAPPED, f.goal() + ": " + f.table() + ": " + f.measured());
      line(WRAPPED + "   ", f.technique() + ": " + f.figure() + beside + difference);
    }
    section("The paper's claims: " + sheet.summary());
    for (PaperSheet.ClaimVerdict verdict : sheet.verdicts()) {
      line(WRAPPED, verdict.verdict() + ": " + verdict.claim());
      line(WRAPPED + "   ", verdict.measured());
    }
    section("More");
    line(COPIED, sheet.page());
    line(COPIED, sheet.results());
  }

  private void section(String title) {
    text.append(text.isEmpty() ? "" : "\n").append(title).append('\n');
  }

  private void line(String indent, String content) {
    if (!content.isEmpty()) {
      text.append(indent).append(content).append('\n');
    }
  }
}
