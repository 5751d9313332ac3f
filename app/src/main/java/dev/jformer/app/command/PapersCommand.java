package dev.jformer.app.command;

import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import dev.jformer.studies.pages.PaperSheet;
import dev.jformer.studies.pages.TechniquePages;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer papers}: the catalogue, and what there is to say of one paper. */
@Command(
    name = "papers",
    header = "List the papers behind the techniques, or describe one",
    description =
        """
        Lists the papers by family. With the name of a paper it prints what the technique is, when
        to use it, the classes, the configuration that switches it on, a command to try it, and
        what was measured here.
        """,
    footer =
        """
        Examples:
          jformer papers
          jformer papers matformer
          jformer papers matformer --json
        """)
final class PapersCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..1",
      paramLabel = "NAME",
      completionCandidates = Completion.Papers.class,
      description = "The paper to describe (default: list all of them).")
  private String name;

  @Option(
      names = "--pages",
      paramLabel = "FOLDER",
      description = "Write a page for each technique, and an index, into a folder.")
  private Path pages;

  @Mixin private JsonOption json;

  /** A line of the list. */
  record Line(String slug, String title, String link, String stage, String family, String status) {
    static Line of(Paper paper) {
      return new Line(
          paper.slug(),
          paper.title(),
          paper.link(),
          paper.stage().words(),
          paper.family(),
          paper.status().name().toLowerCase(Locale.ROOT));
    }

    boolean isPlanned() {
      return status.equals("planned");
    }
  }

  /** What {@code --pages} has done. */
  record Written(int pages, String folder) {}

  @Override
  public Integer call() throws Exception {
    Printer printer = json.printer();
    if (pages != null) {
      printer.print(new Written(TechniquePages.write(pages), pages.toString()));
    } else if (name != null) {
      printer.print(PaperSheet.of(Catalogue.paper(name)), PaperText::of);
    } else {
      printer.print(
          Catalogue.papers().stream()
              .map(Line::of)
              .sorted(Comparator.comparing(Line::isPlanned).thenComparing(Line::family))
              .toList(),
          PapersCommand::list);
    }
    return 0;
  }

  /** The papers by family, those that are here before those that are planned. */
  private static String list(List<Line> lines) {
    StringBuilder text = new StringBuilder();
    String group = "";
    for (Line line : lines) {
      String own = line.family() + (line.isPlanned() ? " (planned)" : "");
      if (!own.equals(group)) {
        text.append(group.isEmpty() ? "" : "\n").append(own).append('\n');
        group = own;
      }
      text.append(String.format(Locale.ROOT, "  %-28s %s%n", line.slug(), line.title()));
    }
    return text.append("\n'jformer papers NAME' describes one of them.").toString();
  }
}
