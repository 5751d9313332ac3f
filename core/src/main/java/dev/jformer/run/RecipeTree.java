package dev.jformer.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.config.Nearest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Recipes as JSON: those that come with the library, and fields that are set by their paths. */
final class RecipeTree {
  static final List<String> NAMES =
      List.of(
          "java",
          "shakespeare",
          "forecast",
          "images",
          "poolformer",
          "mlm",
          "classify",
          "fine-tune",
          "translate");

  private RecipeTree() {}

  static JsonNode named(String name) {
    if (!NAMES.contains(name)) {
      throw new ConfigException(
          "no recipe '"
              + name
              + "'"
              + Nearest.hint(name, NAMES)
              + " (there are "
              + String.join(", ", NAMES)
              + ")");
    }
    try (InputStream in = RecipeTree.class.getResourceAsStream("recipes/" + name + ".json")) {
      return Configs.tree(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the recipe " + name, e);
    }
  }

  /** A recipe of a tree in which some fields are set by their paths. */
  static Recipe bind(JsonNode tree, Map<String, String> fields) {
    if (!(tree instanceof ObjectNode root)) {
      throw new ConfigException(
          "the recipe is no object of fields: expected model, data, training");
    }
    ObjectNode copy = root.deepCopy();
    fields.forEach((path, value) -> Configs.set(copy, Recipe.class, path, value));
    return Configs.bind(copy, Recipe.class);
  }

  /** The path of a user's file, which must not depend on where the process was begun. */
  static String absolute(Path file) {
    return file.toAbsolutePath().toString();
  }
}
