package dev.jformer.studies.pages;

import static dev.jformer.studies.pages.Markdown.link;

import dev.jformer.io.AtomicFile;
import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Goal;
import dev.jformer.studies.catalogue.Paper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Writes the pages of {@code docs/techniques}: one for each implemented technique, and an index by
 * family and by goal. The command is {@code jformer papers --pages docs/techniques}; a test fails
 * if the pages are out of date.
 */
public final class TechniquePages {
  /** The last line of each page, which names the command that writes it. */
  static final String ORIGIN =
      "*Made from the catalogue, the Javadoc and the results by `jformer papers --pages"
          + " docs/techniques`: edit those, not this page.*\n";

  private TechniquePages() {}

  /** Returns all pages by file name. */
  public static Map<String, String> all() {
    Map<String, String> pages = new TreeMap<>();
    List<Paper> here = Catalogue.papers().stream().filter(TechniquePages::isHere).toList();
    here.forEach(paper -> pages.put(paper.slug() + ".md", TechniquePage.of(paper)));
    pages.put("README.md", index(here));
    return pages;
  }

  /**
   * Writes all pages into a folder, which is created if needed; returns the number of pages.
   *
   * @throws IllegalArgumentException if a file with the name of a page is not such a page; then
   *     nothing is written
   */
  public static int write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Map<String, String> pages = all();
    for (String name : pages.keySet()) {
      Path file = folder.resolve(name);
      if (Files.exists(file) && !Files.readString(file).endsWith(ORIGIN)) {
        throw new IllegalArgumentException(
            file + " is not a page of this command: choose another folder, or remove the file");
      }
    }
    for (Map.Entry<String, String> page : pages.entrySet()) {
      AtomicFile.write(
          folder.resolve(page.getKey()), page.getValue().getBytes(StandardCharsets.UTF_8));
    }
    return pages.size();
  }

  private static boolean isHere(Paper paper) {
    return paper.status() == Paper.Status.IMPLEMENTED;
  }

  private static String index(List<Paper> here) {
    List<PaperSheet> sheets = here.stream().map(PaperSheet::of).toList();
    StringBuilder text = new StringBuilder("# Techniques\n\n");
    text.append(here.size())
        .append(" techniques, each with a page: what it is, how to switch it on, ");
    text.append(
        "what it gains and costs here, and the mechanism. The figures are small models on a ");
    text.append(
        "CPU; each page says which, and at which scale. A *spread* is that over seeds; where ");
    text.append("none is given, one was measured or the study records none.\n\n");
    text.append("By goal: ");
    List<String> goals = new ArrayList<>();
    for (Goal goal : Goal.values()) {
      goals.add(link(goal.words(), "#" + goal.words().replace(' ', '-')));
    }
    text.append(String.join(", ", goals)).append(".\n");
    families(text, sheets);
    for (Goal goal : Goal.values()) {
      goal(text, goal, sheets);
    }
    return text.append('\n').append(ORIGIN).toString();
  }

  private static void families(StringBuilder text, List<PaperSheet> sheets) {
    Map<String, List<PaperSheet>> families =
        sheets.stream()
            .collect(Collectors.groupingBy(PaperSheet::family, TreeMap::new, Collectors.toList()));
    families.forEach(
        (family, members) -> {
          text.append("\n## Family: ").append(family).append("\n\n");
          text.append(
              Markdown.table(
                  List.of("technique", "stage", "what it is", "claims"),
                  members.stream()
                      .map(
                          sheet ->
                              List.of(
                                  page(sheet),
                                  sheet.stage(),
                                  String.join(" ", sheet.about()),
                                  sheet.summary()))
                      .toList()));
        });
  }

  /** Writes the findings on a goal: first those where a technique is better, then the rest. */
  private static void goal(StringBuilder text, Goal goal, List<PaperSheet> sheets) {
    List<List<String>> better = new ArrayList<>();
    List<List<String>> others = new ArrayList<>();
    for (PaperSheet sheet : sheets) {
      for (Finding f : sheet.findings()) {
        if (f.goal().equals(goal.words())) {
          (f.isBetter() || f.against().isEmpty() ? better : others).add(row(sheet, f));
        }
      }
    }
    better.addAll(others);
    text.append("\n## ").append(capitalised(goal.words())).append("\n\n");
    text.append(
        Markdown.table(
            List.of("technique", "measured", "with", "figure", "beside", "figure", "difference"),
            better));
  }

  private static List<String> row(PaperSheet sheet, Finding f) {
    return List.of(
        page(sheet),
        f.table() + ": " + f.measured(),
        f.technique(),
        f.figure(),
        f.against(),
        f.otherFigure(),
        f.difference());
  }

  private static String page(PaperSheet sheet) {
    return link(sheet.slug(), sheet.slug() + ".md");
  }

  private static String capitalised(String words) {
    return Character.toUpperCase(words.charAt(0)) + words.substring(1);
  }
}
