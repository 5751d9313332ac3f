package dev.jformer.app.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.jformer.config.Configs;
import dev.jformer.config.Nearest;
import dev.jformer.run.DataConfig;
import dev.jformer.run.Recipe;
import dev.jformer.run.TextData;
import dev.jformer.run.TranslationData;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Recipes: those that come with the program, by name, and the user's own files, JSON or YAML. */
final class Recipes {
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

  private Recipes() {}

  /** A recipe, with some of its fields set otherwise. */
  static Recipe load(String nameOrFile, Map<String, String> overrides) {
    JsonNode tree = tree(nameOrFile);
    if (!(tree instanceof ObjectNode root)) {
      throw new CommandException("the recipe " + nameOrFile + " is no object of fields");
    }
    overrides.forEach((path, value) -> set(root, path, value));
    return Configs.bind(root, Recipe.class);
  }

  /** What a recipe is called: its name, or its file's without folder and ending. */
  static String name(String nameOrFile) {
    return nameOrFile.replaceAll(".*[/\\\\]", "").replaceAll("\\.[a-z]+$", "");
  }

  /** Whether a recipe learns from the text that comes with the build. */
  static boolean bringsData(String nameOrFile, Recipe recipe, Path data) {
    return nameOrFile.equals("java") && data == null && recipe.data().source().isEmpty();
  }

  /**
   * A recipe that says where its data is: {@code data} if given, else its own, else for the recipe
   * {@code java} the text that comes with the build.
   *
   * @param endings of the files that count; empty for the recipe's own, which are meant for folders
   */
  static Recipe withData(String nameOrFile, Recipe recipe, Path data, List<String> endings) {
    boolean own = bringsData(nameOrFile, recipe, data);
    if (!own && data == null && recipe.data().source().isEmpty()) {
      String kind = recipe.data().type();
      boolean pairs = recipe.data() instanceof TranslationData;
      throw new CommandException(
          pairs
              ? "the recipe " + nameOrFile + " brings no texts: give --source and --target"
              : "the recipe " + nameOrFile + " brings no " + kind + ": give some with --data");
    }
    Path source =
        data != null ? data : own ? DefaultCorpus.find() : Path.of(recipe.data().source());
    DataConfig found = recipe.data().withSource(source.toAbsolutePath().toString());
    if (found instanceof TextData text) {
      boolean file = data != null && !Files.isDirectory(data);
      found = text.withEndings(!endings.isEmpty() ? endings : file ? List.of() : text.endings());
    } else if (!endings.isEmpty()) {
      throw new CommandException("--ending chooses among files of text, not of " + found.type());
    }
    return recipe.withData(found);
  }

  private static JsonNode tree(String nameOrFile) {
    try (InputStream in =
        Recipes.class.getResourceAsStream("/dev/jformer/run/recipes/" + nameOrFile + ".json")) {
      if (NAMES.contains(nameOrFile) && in != null) {
        return Configs.tree(new String(in.readAllBytes(), StandardCharsets.UTF_8));
      }
      Path file = Path.of(nameOrFile);
      if (!Files.isRegularFile(file)) {
        throw new CommandException(
            "no recipe '"
                + nameOrFile
                + "'"
                + Nearest.hint(nameOrFile, NAMES)
                + " (there are "
                + String.join(", ", NAMES)
                + ", or give a JSON or YAML file)");
      }
      String text = Files.readString(file);
      boolean yaml = nameOrFile.endsWith(".yaml") || nameOrFile.endsWith(".yml");
      return yaml ? parse(new YAMLMapper(), text, file) : Configs.tree(text);
    } catch (IOException e) {
      throw new CommandException("cannot read the recipe " + nameOrFile + ": " + e.getMessage());
    }
  }

  private static JsonNode parse(ObjectMapper mapper, String text, Path file) throws IOException {
    try {
      return mapper.readTree(text);
    } catch (JsonProcessingException e) {
      throw new CommandException(file + " is not valid YAML: " + e.getOriginalMessage());
    }
  }

  /** Sets {@code a.b.c} to a JSON value, or to a string if the text is no JSON. */
  private static void set(ObjectNode root, String path, String value) {
    String[] names = path.split("\\.");
    ObjectNode node = root;
    for (int i = 0; i + 1 < names.length; i++) {
      JsonNode child = node.get(names[i]);
      node = child instanceof ObjectNode object ? object : node.putObject(names[i]);
    }
    node.set(names[names.length - 1], value(value));
  }

  private static JsonNode value(String text) {
    try {
      JsonNode node = new JsonMapper().readTree(text);
      return node == null || node.isMissingNode() ? new JsonMapper().valueToTree(text) : node;
    } catch (JsonProcessingException e) {
      return new JsonMapper().valueToTree(text);
    }
  }
}
