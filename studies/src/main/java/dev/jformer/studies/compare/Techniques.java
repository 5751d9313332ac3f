package dev.jformer.studies.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.compress.Compression;
import dev.jformer.config.ConfigField;
import dev.jformer.config.Configs;
import dev.jformer.config.Nearest;
import dev.jformer.config.Part;
import dev.jformer.nn.Projection;
import dev.jformer.run.Recipe;
import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** Finds the techniques that a recipe can be compared with, by name. */
final class Techniques {
  private static final String COMPRESSION = "compression";

  private final Map<String, Map<String, Change>> parts = new LinkedHashMap<>();

  Techniques(Recipe base) {
    for (ConfigField field : Configs.fields(base.model().getClass())) {
      field.kind().ifPresent(kind -> addParts(field.name(), kind));
    }
    Configs.parts(Compression.class)
        .forEach(
            (type, compression) -> add(type, COMPRESSION, Change.of(type, List.of(compression))));
  }

  private void addParts(String field, Class<? extends Part> kind) {
    for (Part part : Configs.parts(kind).values()) {
      if (part instanceof Projection projection && !projection.trains()) {
        continue;
      }
      ObjectNode change = JsonNodeFactory.instance.objectNode();
      change.putObject("model").putObject(field).put("type", part.type());
      add(part.type(), field, Change.of(part.type(), change));
    }
  }

  private void add(String type, String place, Change change) {
    parts.computeIfAbsent(type, t -> new LinkedHashMap<>()).put(place, change);
  }

  /**
   * Returns the changes of a technique, one for each variant.
   *
   * @throws IllegalArgumentException if there is no such technique, or the name is ambiguous
   */
  List<Change> changes(String name) {
    Optional<Paper> paper =
        Catalogue.papers().stream().filter(p -> p.slug().equals(name)).findFirst();
    List<Change> inRecipes = paper.map(Techniques::inRecipes).orElse(List.of());
    if (!inRecipes.isEmpty()) {
      return inRecipes;
    }
    int at = name.indexOf('=');
    String place = at < 0 ? "" : name.substring(0, at);
    String type = name.substring(at + 1);
    Map<String, Change> found = new LinkedHashMap<>(parts.getOrDefault(type, Map.of()));
    found.keySet().removeIf(each -> !place.isEmpty() && !each.equals(place));
    if (found.isEmpty()) {
      List<Change> onModels = paper.map(Techniques::onModels).orElse(List.of());
      if (onModels.isEmpty()) {
        throw unknown(name, paper.orElse(null));
      }
      return onModels;
    }
    if (found.size() > 1) {
      throw new IllegalArgumentException(
          "'"
              + type
              + "' is the name of several parts: use "
              + String.join(" or ", found.keySet().stream().map(p -> p + "=" + type).toList()));
    }
    Change change = found.values().iterator().next();
    return List.of(new Change(name, change.recipe(), change.compressions()));
  }

  /**
   * The changes of recipes that the catalogue has for a paper; those for particular data if there
   * are no general ones.
   */
  private static List<Change> inRecipes(Paper paper) {
    Map<String, JsonNode> recipes =
        paper.technique().use().isEmpty()
            ? paper.technique().configuration()
            : paper.technique().use();
    return recipes.entrySet().stream().map(r -> Change.of(r.getKey(), r.getValue())).toList();
  }

  /** The compressions of trained models that the catalogue has for a paper. */
  private static List<Change> onModels(Paper paper) {
    return paper.technique().compress().stream().map(Techniques::compressing).toList();
  }

  /**
   * Parses compressions as the command line writes them.
   *
   * @param text types separated by commas, or the JSON of one
   */
  private static Change compressing(String text) {
    if (!text.startsWith("{")) {
      Map<String, Compression> known = Configs.parts(Compression.class);
      return Change.of(
          text.replace(",", " then "), Arrays.stream(text.split(",")).map(known::get).toList());
    }
    StringBuilder label = new StringBuilder();
    Configs.tree(text)
        .properties()
        .forEach(
            field ->
                label.append(
                    field.getKey().equals("type")
                        ? field.getValue().asText()
                        : " " + field.getKey() + " " + field.getValue()));
    return Change.of(label.toString(), List.of(Configs.parse(text, Compression.class)));
  }

  private IllegalArgumentException unknown(String name, Paper paper) {
    if (paper != null) {
      return new IllegalArgumentException(
          "'"
              + name
              + "' cannot be compared by name"
              + (paper.status() == Paper.Status.PLANNED
                  ? ": its technique is planned, but not implemented yet"
                  : ": 'jformer papers " + name + "' shows how to use it"));
    }
    TreeSet<String> names = new TreeSet<>(parts.keySet());
    for (Paper each : Catalogue.papers()) {
      if (!inRecipes(each).isEmpty() || !onModels(each).isEmpty()) {
        names.add(each.slug());
      }
    }
    return new IllegalArgumentException(
        "there is no technique '"
            + name
            + "'"
            + Nearest.hint(name, names)
            + " (known: "
            + String.join(", ", names)
            + ")");
  }
}
