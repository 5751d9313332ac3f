package dev.jformer.studies.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.compress.Compression;
import dev.jformer.config.ConfigException;
import dev.jformer.config.ConfigField;
import dev.jformer.config.Configs;
import dev.jformer.run.Recipe;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Turns names of techniques into variants of a recipe. A name is
 *
 * <ul>
 *   <li>a paper's slug, for the one or more variants that the catalogue has for it;
 *   <li>the {@code type} of a part that the base's model can take, such as {@code flow} or {@code
 *       alibi}, or {@code field=type} where several fields can have a part of that name;
 *   <li>the {@code type} of a compression, such as {@code weight-int8}, which is applied to the
 *       trained model, or {@code compression=type};
 *   <li>several of these joined by {@code +}, for all of them together.
 * </ul>
 */
public final class Variants {
  /** Fields with the same meaning in all parts: a new part takes over the old one's values. */
  private static final List<String> SHARED = List.of("heads", "keyValueHeads", "expand", "hidden");

  private final Recipe base;
  private final Techniques techniques;

  private Variants(Recipe base) {
    this.base = base;
    this.techniques = new Techniques(base);
  }

  /**
   * Returns the base and the variants of some techniques, each variant once.
   *
   * @throws IllegalArgumentException if there is no such technique, or it does not fit the base
   */
  public static List<Variant> all(Recipe base, List<String> techniques) {
    List<Variant> all = new ArrayList<>(List.of(new Variant(Variant.BASE, base)));
    for (String technique : techniques) {
      for (Variant variant : of(base, technique)) {
        if (all.stream().noneMatch(v -> v.name().equals(variant.name()))) {
          all.add(variant);
        }
      }
    }
    return all;
  }

  /**
   * Returns the variants of a technique.
   *
   * @throws IllegalArgumentException if there is no such technique, or it does not fit the base
   */
  public static List<Variant> of(Recipe base, String technique) {
    Variants variants = new Variants(base);
    List<Draft> drafts = List.of(new Draft("", "", (ObjectNode) Configs.write(base), List.of()));
    for (String name : technique.split("\\+", -1)) {
      drafts = variants.with(drafts, variants.techniques.changes(name.strip()));
    }
    return drafts.stream().map(Draft::variant).toList();
  }

  /** Combines every draft with every change that fits it; at least one must fit. */
  private List<Draft> with(List<Draft> drafts, List<Change> changes) {
    List<Draft> next = new ArrayList<>();
    IllegalArgumentException misfit = null;
    for (Change change : changes) {
      for (Draft draft : drafts) {
        try {
          Draft changed = changed(draft, change);
          changed.variant();
          next.add(changed);
        } catch (IllegalArgumentException e) {
          misfit = e;
        }
      }
    }
    if (next.isEmpty() && misfit != null) {
      throw misfit;
    }
    return next;
  }

  private Draft changed(Draft draft, Change change) {
    String name = joined(draft.name, change.label());
    if (!change.compressions().isEmpty()) {
      List<Compression> more = new ArrayList<>(draft.compressions);
      more.addAll(change.compressions());
      return new Draft(name, draft.training, draft.recipe, List.copyOf(more));
    }
    if (!draft.compressions.isEmpty()) {
      throw new IllegalArgumentException(
          "the technique '"
              + name
              + "' changes the training after a compression: put changes of the recipe first, for example"
              + " flow+weight-int8");
    }
    ObjectNode recipe = merge(draft.recipe.deepCopy(), change.recipe());
    return new Draft(name, joined(draft.training, change.label()), recipe, List.of());
  }

  private static String joined(String before, String label) {
    return before.isEmpty() ? label : before + "+" + label;
  }

  /** A variant under construction. */
  private record Draft(
      String name, String training, ObjectNode recipe, List<Compression> compressions) {
    Variant variant() {
      try {
        Recipe bound = Configs.bind(recipe, Recipe.class);
        return new Variant(name, bound, training.isEmpty() ? Variant.BASE : training, compressions);
      } catch (ConfigException e) {
        throw new IllegalArgumentException(
            "the technique '" + name + "' does not fit the recipe: " + e.getMessage(), e);
      }
    }
  }

  /**
   * Merges a change into a recipe. A part of a new type takes over the fields that both parts have,
   * such as the number of heads.
   */
  private ObjectNode merge(ObjectNode tree, JsonNode change) {
    for (var entry : change.properties()) {
      JsonNode old = tree.get(entry.getKey());
      JsonNode wanted = entry.getValue();
      if (old instanceof ObjectNode part && wanted instanceof ObjectNode fields) {
        boolean other = fields.has("type") && !fields.get("type").equals(part.get("type"));
        tree.set(
            entry.getKey(), other ? exchanged(entry.getKey(), part, fields) : merge(part, fields));
      } else {
        tree.set(entry.getKey(), wanted);
      }
    }
    return tree;
  }

  private ObjectNode exchanged(String field, ObjectNode old, ObjectNode fields) {
    ObjectNode result = fields.deepCopy();
    defaults(field, fields.get("type").asText())
        .ifPresent(
            defaults -> {
              for (String shared : SHARED) {
                JsonNode known = defaults.get(shared);
                JsonNode before = old.get(shared);
                boolean both =
                    known != null && before != null && known.getNodeType() == before.getNodeType();
                if (both && !result.has(shared)) {
                  result.set(shared, before);
                }
              }
            });
    return result;
  }

  /** The defaults of a part that a field of the base's model accepts. */
  private Optional<JsonNode> defaults(String name, String type) {
    return Configs.fields(base.model().getClass()).stream()
        .filter(field -> field.name().equals(name))
        .findFirst()
        .flatMap(ConfigField::kind)
        .flatMap(kind -> Optional.ofNullable(Configs.parts(kind).get(type)))
        .map(Configs::write);
  }
}
