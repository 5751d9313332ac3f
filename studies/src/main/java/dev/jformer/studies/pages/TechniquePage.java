package dev.jformer.studies.pages;

import static dev.jformer.studies.pages.Markdown.code;
import static dev.jformer.studies.pages.Markdown.link;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigField;
import dev.jformer.config.Configs;
import dev.jformer.config.Part;
import dev.jformer.javadoc.Descriptions;
import dev.jformer.studies.catalogue.Paper;
import dev.jformer.studies.evidence.Evidence;
import java.util.ArrayList;
import java.util.List;

/** Writes the page of one technique as Markdown. */
final class TechniquePage {
  private final PaperSheet sheet;
  private final StringBuilder text = new StringBuilder();

  private TechniquePage(PaperSheet sheet) {
    this.sheet = sheet;
  }

  static String of(Paper paper) {
    TechniquePage page = new TechniquePage(PaperSheet.of(paper));
    page.head();
    page.switchOn();
    page.findings();
    page.verdicts();
    page.mechanism(paper.classes());
    Results.of(paper.slug()).ifPresent(page::notes);
    page.text.append('\n').append(TechniquePages.ORIGIN);
    return page.text.toString();
  }

  private void head() {
    text.append("# ").append(sheet.title()).append("\n\n");
    sheet.about().forEach(line -> text.append(line).append('\n'));
    String paper = sheet.link().isEmpty() ? "" : link("paper", sheet.link()) + " · ";
    text.append('\n').append(paper).append(sheet.stage()).append(" · ").append(sheet.family());
    text.append(" · ").append(link("results", "../results/" + sheet.slug() + ".md"));
    text.append(" · `jformer papers ").append(sheet.slug()).append("`\n");
    heading("When to use it");
    text.append(sheet.when()).append('\n');
  }

  private void heading(String title) {
    text.append("\n## ").append(title).append("\n\n");
  }

  private void switchOn() {
    heading("Switch it on");
    if (!sheet.switchOn().isEmpty()) {
      text.append("In a recipe, or as options of `jformer train`:\n\n");
      text.append(
          Markdown.table(
              List.of("variant", "recipe", "options"),
              sheet.switchOn().stream()
                  .map(
                      on ->
                          List.of(
                              on.variant(),
                              code(on.recipe().toString()),
                              code(String.join(" ", on.options()))))
                  .toList()));
      text.append('\n');
    }
    if (!sheet.compare().isEmpty()) {
      text.append("Beside other techniques: `jformer compare --with ");
      text.append(sheet.compare()).append("`.\n\n");
    }
    if (!sheet.compress().isEmpty()) {
      text.append("On a trained model:\n\n");
      text.append(Markdown.block(sheet.compressCommands()));
      text.append('\n');
    }
    text.append("Try it:\n\n").append(Markdown.block(List.of(sheet.command())));
  }

  private void findings() {
    heading("What it gains and costs here");
    text.append("Measured at ").append(sheet.measured()).append(".\n\n");
    text.append(
        Markdown.table(
            List.of("goal", "measured", "with", "figure", "beside", "figure", "difference"),
            sheet.findings().stream()
                .map(
                    f ->
                        List.of(
                            f.goal(),
                            f.table() + ": " + f.measured(),
                            f.technique(),
                            f.figure(),
                            f.against(),
                            f.otherFigure(),
                            f.difference()))
                .toList()));
  }

  private void verdicts() {
    heading("The paper's claims");
    text.append(sheet.summary()).append("\n\n");
    text.append(
        Markdown.table(
            List.of("claim", "verdict", "measured"),
            sheet.verdicts().stream()
                .map(v -> List.of(v.claim(), v.verdict(), v.measured()))
                .toList()));
    text.append("\nAll tables and figures: ");
    text.append(link("results", "../results/" + sheet.slug() + ".md")).append(". Measure again: `");
    text.append("jformer reproduce ").append(sheet.slug()).append("`.\n");
  }

  private void mechanism(List<String> classes) {
    heading("How it works");
    String separator = "";
    for (String name : classes) {
      Class<?> type = Types.find(name);
      text.append(separator).append("### ").append(type.getSimpleName()).append("\n\n");
      text.append(code(name)).append("\n\n");
      text.append(Descriptions.of(type).markdown()).append('\n');
      settings(type);
      separator = "\n";
    }
  }

  /** The fields of a part's configuration: the class itself, or its nested record. */
  private void settings(Class<?> type) {
    Class<?> configuration = configuration(type);
    if (configuration == null) {
      return;
    }
    JsonNode defaults = defaults(configuration);
    List<List<String>> rows = new ArrayList<>();
    for (ConfigField field : Configs.fields(configuration)) {
      rows.add(
          List.of(
              code(field.name()),
              code(defaults.path(field.name()).toString()),
              Descriptions.ofPart(field.owner()).parameter(field.name())));
    }
    String kind = defaults.path("type").asText(defaults.path("model").asText());
    text.append("\nIn JSON: `")
        .append(kind)
        .append(rows.isEmpty() ? "`, without fields.\n" : "`.\n\n");
    if (!rows.isEmpty()) {
      text.append(Markdown.table(List.of("field", "default", "meaning"), rows));
    }
  }

  private static Class<?> configuration(Class<?> type) {
    if (Part.class.isAssignableFrom(type) && type.isRecord()) {
      return type;
    }
    for (Class<?> nested : type.getDeclaredClasses()) {
      if (Part.class.isAssignableFrom(nested) && nested.isRecord()) {
        return nested;
      }
    }
    return null;
  }

  private static JsonNode defaults(Class<?> configuration) {
    try {
      return Configs.write(configuration.getConstructor().newInstance());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(
          "the configuration "
              + configuration.getName()
              + " has no public constructor without arguments: add one with the defaults",
          e);
    }
  }

  private void notes(Evidence evidence) {
    if (!evidence.notes().isEmpty()) {
      heading("Notes of the study");
      evidence.notes().forEach(note -> text.append("- ").append(note).append('\n'));
    }
  }
}
