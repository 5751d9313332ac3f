package dev.jformer.app.command;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigField;
import dev.jformer.config.Configs;
import dev.jformer.config.Nearest;
import dev.jformer.config.Part;
import dev.jformer.javadoc.Description;
import dev.jformer.javadoc.Descriptions;
import dev.jformer.javadoc.PaperLink;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What there is to know of a part.
 *
 * @param kind the name of its kind
 * @param name its own name, the {@code type} in JSON
 * @param description what it is and does
 * @param papers the papers that describe it
 * @param fields its fields
 * @param places the fields that can hold it, for example {@code causal-lm.mixer}
 * @param use a command, or part of one, that uses it; empty where there is no short one
 */
record PartDescription(
    String kind,
    String name,
    String description,
    List<PaperLink> papers,
    List<Field> fields,
    List<String> places,
    String use) {
  private static final Pattern PREFORMATTED = Pattern.compile("(?s)```\\n(.*?)```");

  /**
   * A field of a part.
   *
   * @param type in words, for example {@code a number}
   * @param preset the default value
   */
  record Field(
      String name, String type, @JsonProperty("default") JsonNode preset, String description) {}

  /**
   * The part of this name.
   *
   * @param named a part's name, with its kind and {@code =} before it where two kinds have such a
   *     part
   * @throws CommandException if there is no such part, or more than one
   */
  static PartDescription find(Map<String, PartKind> kinds, String named) {
    String wanted = named.contains("=") ? named.substring(0, named.indexOf('=')) : "";
    String name = named.substring(named.indexOf('=') + 1);
    List<PartKind> found =
        kinds.values().stream()
            .filter(kind -> wanted.isEmpty() || kind.name().equals(wanted))
            .filter(kind -> kind.parts().containsKey(name))
            .toList();
    if (found.isEmpty()) {
      TreeSet<String> names = new TreeSet<>();
      kinds.values().forEach(kind -> names.addAll(kind.parts().keySet()));
      throw new CommandException(
          "there is no folder and no part '"
              + named
              + "'"
              + Nearest.hint(name, names)
              + " ('jformer info' lists all parts)");
    }
    if (found.size() > 1) {
      throw new CommandException(
          "there are several parts '"
              + name
              + "': choose "
              + found.stream()
                  .map(kind -> kind.name() + "=" + name)
                  .collect(Collectors.joining(" or ")));
    }
    return of(kinds, found.get(0), found.get(0).parts().get(name));
  }

  private static PartDescription of(Map<String, PartKind> kinds, PartKind kind, Part part) {
    Description description = Descriptions.ofPart(part.getClass());
    JsonNode defaults = Configs.write(part);
    List<Field> fields = new ArrayList<>();
    for (ConfigField field : Configs.fields(part.getClass())) {
      String name = field.name();
      String meaning = Descriptions.ofPart(field.owner()).parameter(name);
      fields.add(new Field(name, words(kinds, field), defaults.get(name), meaning));
    }
    return new PartDescription(
        kind.name(),
        part.type(),
        withIndentedFormulas(description),
        description.papers(),
        fields,
        kind.places(),
        use(kind, part.type()));
  }

  private static String use(PartKind kind, String name) {
    if (kind.name().equals(PartKind.COMPRESSION)) {
      return "jformer compress MODEL --with " + name + " --out FOLDER";
    }
    boolean inModel = kind.places().contains("causal-lm." + kind.name());
    return inModel ? "jformer train --set model." + kind.name() + ".type=" + name : "";
  }

  /** The text, with its preformatted lines indented so that they are not wrapped. */
  private static String withIndentedFormulas(Description description) {
    String text = description.text().replace("\n- ", "\n\n- ");
    for (MatchResult block : PREFORMATTED.matcher(description.markdown()).results().toList()) {
      String lines = block.group(1).replaceAll("^\\n+", "").stripTrailing();
      text = text.replace(lines, lines.replaceAll("(?m)^[ \\t]*", "  "));
    }
    return text;
  }

  /** The type of a field in words. */
  private static String words(Map<String, PartKind> kinds, ConfigField field) {
    String words = words(kinds, field.element());
    return field.isList() ? "list of: " + words : words;
  }

  private static String words(Map<String, PartKind> kinds, Class<?> type) {
    if (type.isEnum()) {
      return Arrays.stream(type.getEnumConstants())
          .map(constant -> Printer.name((Enum<?>) constant))
          .collect(Collectors.joining(" or "));
    }
    return switch (type.getSimpleName()) {
      case "int", "long", "Integer", "Long" -> "whole number";
      case "double", "Double" -> "number";
      case "boolean", "Boolean" -> "true or false";
      case "String" -> "text";
      default ->
          kinds.values().stream()
              .filter(kind -> kind.type() == type)
              .map(PartKind::name)
              .findFirst()
              .orElse("object");
    };
  }

  /** The description as text, in lines of at most this many characters. */
  String text(int width) {
    StringBuilder text = new StringBuilder(name + " (" + kind + ")\n\n");
    text.append(Paragraphs.wrap(description, width));
    for (PaperLink paper : papers) {
      text.append("\nPaper: ").append(paper.title()).append("\n  ").append(paper.url());
    }
    text.append(papers.isEmpty() ? "" : "\n");
    if (!fields.isEmpty()) {
      text.append("\nFields and their defaults:\n");
      for (Field field : fields) {
        String given = field.name() + " = " + Printer.shortened(field.preset());
        String meaning = field.description().isEmpty() ? "" : " " + field.description();
        text.append("  ").append(given).append('\n');
        text.append(
            Paragraphs.wrap(
                "      (" + field.type() + ")" + meaning.replaceAll("\\s+", " "), width));
      }
    }
    text.append('\n')
        .append(Paragraphs.wrap("Fields that can hold it: " + String.join(", ", places), width));
    return use.isEmpty() ? text.toString() : text + "\nTry:\n  " + use + "\n";
  }
}
