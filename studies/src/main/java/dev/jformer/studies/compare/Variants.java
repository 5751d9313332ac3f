package dev.jformer.studies.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.compress.Compression;
import dev.jformer.config.ConfigException;
import dev.jformer.config.ConfigField;
import dev.jformer.config.Configs;
import dev.jformer.config.Nearest;
import dev.jformer.config.Part;
import dev.jformer.nn.Projection;
import dev.jformer.run.Recipe;
import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Turns the names of techniques into variants of a recipe. A name is
 *
 * <ul>
 *   <li>a paper's slug, which stands for what the catalogue says of its use, one variant or
 *       several;
 *   <li>the {@code type} of a part that the base's model can take, such as {@code flow} or {@code
 *       alibi}, or {@code seam=type} where several seams have a part of that name;
 *   <li>several of these joined by {@code +}, for all of them at once.
 * </ul>
 */
public final class Variants {
  private Variants() {}

  /**
   * The variants that a name stands for.
   *
   * @throws IllegalArgumentException if there is no such technique, or it does not fit the base
   */
  public static List<Variant> of(Recipe base, String technique) {
    List<String> names = List.of(technique.split("\\+", -1));
    Map<String, ObjectNode> trees = new LinkedHashMap<>();
    trees.put("", (ObjectNode) Configs.write(base));
    for (String name : names) {
      Map<String, ObjectNode> next = new LinkedHashMap<>();
      changes(base, name.strip())
          .forEach(
              (label, change) ->
                  trees.forEach(
                      (before, tree) ->
                          next.put(
                              before.isEmpty() ? label : before + "+" + label,
                              merge(tree.deepCopy(), change))));
      trees.clear();
      trees.putAll(next);
    }
    List<Variant> variants = new ArrayList<>();
    trees.forEach((name, tree) -> variants.add(new Variant(name, bind(name, tree))));
    return variants;
  }

  private static Recipe bind(String name, ObjectNode tree) {
    try {
      return Configs.bind(tree, Recipe.class);
    } catch (ConfigException e) {
      throw new IllegalArgumentException(
          "the technique '" + name + "' does not fit the recipe: " + e.getMessage(), e);
    }
  }

  /** What a name changes in a recipe, by the name of the variant. */
  private static Map<String, JsonNode> changes(Recipe base, String name) {
    for (Paper paper : Catalogue.papers()) {
      if (paper.slug().equals(name) && !paper.use().isEmpty()) {
        Map<String, JsonNode> changes = new LinkedHashMap<>();
        Configs.tree(paper.use())
            .properties()
            .forEach(entry -> changes.put(entry.getKey(), entry.getValue()));
        return changes;
      }
    }
    Map<String, Map<String, ObjectNode>> known = parts(base);
    String seam = name.contains("=") ? name.substring(0, name.indexOf('=')) : "";
    String type = name.substring(name.indexOf('=') + 1);
    Map<String, ObjectNode> found = new LinkedHashMap<>(known.getOrDefault(type, Map.of()));
    found.keySet().removeIf(place -> !seam.isEmpty() && !place.equals(seam));
    if (found.isEmpty()) {
      throw unknown(name, known);
    }
    if (found.size() > 1) {
      throw new IllegalArgumentException(
          "'"
              + type
              + "' is the name of several parts: say "
              + String.join(
                  " or ", found.keySet().stream().map(place -> place + "=" + type).toList()));
    }
    ObjectNode change = JsonNodeFactory.instance.objectNode();
    change.putObject("model").setAll(found.values().iterator().next());
    return Map.of(name, change);
  }

  private static IllegalArgumentException unknown(
      String name, Map<String, Map<String, ObjectNode>> known) {
    if (Configs.parts(Compression.class).containsKey(name)) {
      return new IllegalArgumentException(
          "'"
              + name
              + "' is no way to train a model but a way to compress one: see 'jformer compress'");
    }
    TreeSet<String> names = new TreeSet<>(known.keySet());
    for (Paper paper : Catalogue.papers()) {
      if (!paper.use().isEmpty()) {
        names.add(paper.slug());
      } else if (paper.slug().equals(name)) {
        return new IllegalArgumentException(
            "'"
                + name
                + "' cannot be compared by name"
                + (paper.status() == Paper.Status.PLANNED ? ": it is planned, not here yet" : ""));
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

  /**
   * By type, the seams of the base's model that have such a part, each with the change it means.
   */
  private static Map<String, Map<String, ObjectNode>> parts(Recipe base) {
    Map<String, Map<String, ObjectNode>> parts = new LinkedHashMap<>();
    for (ConfigField field : Configs.fields(base.model().getClass())) {
      for (Part part : partsOf(field).values()) {
        if (part instanceof Projection projection && !projection.trains()) {
          continue;
        }
        ObjectNode change = JsonNodeFactory.instance.objectNode();
        change.putObject(field.name()).put("type", part.type());
        parts.computeIfAbsent(part.type(), t -> new LinkedHashMap<>()).put(field.name(), change);
      }
    }
    return parts;
  }

  /** The parts that can stand in a field, by name. */
  private static Map<String, ? extends Part> partsOf(ConfigField field) {
    return field.kind().isPresent() ? Configs.parts(field.kind().get()) : Map.of();
  }

  /**
   * Lays a change over a tree. A part that is exchanged for one of another type takes over the
   * fields that both have, such as the number of heads.
   */
  private static ObjectNode merge(ObjectNode tree, JsonNode change) {
    change
        .properties()
        .forEach(
            entry -> {
              JsonNode old = tree.get(entry.getKey());
              JsonNode wanted = entry.getValue();
              if (old instanceof ObjectNode part && wanted instanceof ObjectNode fields) {
                boolean other = fields.has("type") && !fields.get("type").equals(part.get("type"));
                tree.set(
                    entry.getKey(),
                    other ? exchange(entry.getKey(), part, fields) : merge(part, fields));
              } else {
                tree.set(entry.getKey(), wanted);
              }
            });
    return tree;
  }

  private static ObjectNode exchange(String seam, ObjectNode old, ObjectNode fields) {
    ObjectNode result = fields.deepCopy();
    JsonNode defaults = defaults(seam, fields.get("type").asText());
    if (defaults != null) {
      old.properties()
          .forEach(
              field -> {
                JsonNode known = defaults.get(field.getKey());
                boolean shared =
                    known != null && known.getNodeType() == field.getValue().getNodeType();
                if (shared && !result.has(field.getKey()) && HEADS.contains(field.getKey())) {
                  result.set(field.getKey(), field.getValue());
                }
              });
    }
    return result;
  }

  /** What has one meaning wherever it stands. */
  private static final List<String> HEADS = List.of("heads", "keyValueHeads", "expand", "hidden");

  private static JsonNode defaults(String seam, String type) {
    for (ConfigField field : Configs.fields(dev.jformer.model.CausalLm.Config.class)) {
      if (field.name().equals(seam)) {
        Part part = partsOf(field).get(type);
        return part == null ? null : Configs.write(part);
      }
    }
    return null;
  }
}
