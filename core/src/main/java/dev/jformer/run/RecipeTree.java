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

/** Reads recipes as JSON: those that come with the library, with fields set by their paths. */
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
          "tokens",
          "sequences",
          "pixels",
          "audio",
          "fine-tune",
          "fine-tune-tokens",
          "fine-tune-text",
          "fine-tune-mlm",
          "fine-tune-embed",
          "instruct",
          "translate",
          "algorithm",
          "program",
          "program-words",
          "diffusion",
          "inpainting",
          "in-context",
          "decisions",
          "exemplars");

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

  /** Reads a recipe from a tree and sets some fields by their paths. */
  static Recipe bind(JsonNode tree, Map<String, String> fields) {
    if (!(tree instanceof ObjectNode root)) {
      throw new ConfigException(
          "the recipe is not a JSON object: expected one with the fields model, data, training");
    }
    ObjectNode copy = root.deepCopy();
    fields.forEach((path, value) -> Configs.set(copy, Recipe.class, path, value));
    return Configs.bind(copy, Recipe.class);
  }

  /**
   * Makes the path of a user's file absolute, so that it does not depend on the working directory.
   */
  static String absolute(Path file) {
    return file.toAbsolutePath().toString();
  }
}
