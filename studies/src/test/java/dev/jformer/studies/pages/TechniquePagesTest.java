package dev.jformer.studies.pages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.javadoc.Descriptions;
import dev.jformer.javadoc.PaperLink;
import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import dev.jformer.studies.catalogue.Technique;
import dev.jformer.studies.evidence.Evidence;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TechniquePagesTest {
  private static final Path FOLDER = Path.of("../docs/techniques");
  private static final String UPDATE = "run: ./jformer papers --pages docs/techniques";

  private static List<Paper> implemented() {
    return Catalogue.papers().stream()
        .filter(paper -> paper.status() == Paper.Status.IMPLEMENTED)
        .toList();
  }

  @Test
  void neverOverwritesAnotherFile(@TempDir Path folder) throws Exception {
    Path own = Files.writeString(folder.resolve("README.md"), "my project");
    assertThrows(IllegalArgumentException.class, () -> TechniquePages.write(folder));
    assertEquals("my project", Files.readString(own));
    try (var files = Files.list(folder)) {
      assertEquals(1, files.count(), "nothing is written");
    }
    Files.delete(own);
    int pages = TechniquePages.write(folder);
    assertEquals(pages, TechniquePages.write(folder), "its own pages are replaced");
  }

  @Test
  void theCommittedPagesAreThoseThatWouldBeWritten() throws Exception {
    Map<String, String> wanted = TechniquePages.all();
    Set<String> stale = new TreeSet<>();
    for (Map.Entry<String, String> page : wanted.entrySet()) {
      Path file = FOLDER.resolve(page.getKey());
      if (!Files.exists(file) || !Files.readString(file).equals(page.getValue())) {
        stale.add(page.getKey());
      }
    }
    try (var files = Files.list(FOLDER)) {
      files
          .map(file -> file.getFileName().toString())
          .filter(file -> !wanted.containsKey(file))
          .forEach(stale::add);
    }
    assertEquals(Set.of(), stale, "pages of docs/techniques that are out of date; " + UPDATE);
  }

  /** What somebody looks for who knows a paper by its name only. */
  @Test
  void aStrangerFindsEachTechnique() throws Exception {
    List<String> missing = new ArrayList<>();
    for (Paper paper : implemented()) {
      PaperSheet sheet = PaperSheet.of(paper);
      PaperLink link = new PaperLink(paper.title(), paper.link());
      for (PaperSheet.ImplementingClass type : sheet.classes()) {
        if (!Descriptions.of(Class.forName(type.name())).papers().contains(link)) {
          missing.add(paper.slug() + ": the paper's title and link in " + type.name());
        } else if (!firstLines(type.name()).contains(paper.title())) {
          missing.add(paper.slug() + ": the paper's title in the first lines of " + type.name());
        }
      }
      String page = Files.readString(FOLDER.resolve(paper.slug() + ".md"));
      if (sheet.findings().stream().noneMatch(finding -> page.contains(finding.value()))) {
        missing.add(paper.slug() + ": a figure of the results on its page");
      }
    }
    assertEquals(List.of(), missing);
  }

  private static String firstLines(String type) throws ClassNotFoundException {
    String text = Descriptions.of(Class.forName(type)).text().replaceAll("\\s+", " ");
    return text.substring(0, Math.min(400, text.length()));
  }

  @Test
  void everySheetIsComplete() {
    List<String> wrong = new ArrayList<>();
    for (Paper paper : implemented()) {
      PaperSheet sheet = PaperSheet.of(paper);
      check(wrong, paper, "two lines on what it is", sheet.about().size() == 2);
      check(wrong, paper, "when to use it", !sheet.when().isEmpty());
      check(wrong, paper, "a command", sheet.command().startsWith("jformer "));
      check(wrong, paper, "goals", !sheet.goals().isEmpty());
      check(wrong, paper, "findings", !sheet.findings().isEmpty());
      check(wrong, paper, "verdicts", !sheet.verdicts().isEmpty());
      for (PaperSheet.ImplementingClass type : sheet.classes()) {
        check(wrong, paper, "a summary of " + type.name(), type.summary().endsWith("."));
      }
      for (Finding finding : sheet.findings()) {
        check(wrong, paper, "a figure for " + finding, !finding.value().isEmpty());
      }
    }
    assertEquals(List.of(), wrong);
  }

  private static void check(List<String> wrong, Paper paper, String what, boolean there) {
    if (!there) {
      wrong.add(paper.slug() + " lacks " + what);
    }
  }

  @Test
  void aPlannedPaperHasAnEmptySheet() {
    Technique none =
        new Technique(List.of(), List.of(), Map.of(), Map.of(), List.of(), "", "", List.of());
    PaperSheet sheet =
        PaperSheet.of(
            new Paper(
                "later",
                "A Technique to Come",
                "",
                Paper.Stage.DESIGN,
                "generation",
                Paper.Status.PLANNED,
                none));
    assertEquals("planned", sheet.status());
    assertTrue(sheet.classes().isEmpty() && sheet.verdicts().isEmpty() && sheet.page().isEmpty());
  }

  @Test
  void figuresAreThoseOfTheResults() {
    Finding finding =
        PaperSheet.of(Catalogue.paper("flowformer")).findings().stream()
            .filter(f -> f.against().equals("softmax attention"))
            .findFirst()
            .orElseThrow();
    Evidence evidence = Results.of("flowformer").orElseThrow();
    List<String> row =
        evidence.tables().stream()
            .filter(table -> table.title().equals(finding.table()))
            .flatMap(table -> table.rows().stream())
            .filter(cells -> cells.get(0).equals("Flow-Attention"))
            .findFirst()
            .orElseThrow();
    assertTrue(row.contains(finding.value()) && row.contains(finding.spread()), "" + finding);
    double change =
        100 * (Double.parseDouble(finding.value()) / Double.parseDouble(finding.other()) - 1);
    assertTrue(finding.difference().startsWith(String.format("%+.1f %%", change)), "" + finding);
  }
}
