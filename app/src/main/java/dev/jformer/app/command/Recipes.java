package dev.jformer.app.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.config.Nearest;
import dev.jformer.config.RegularFile;
import dev.jformer.run.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Recipes as users name them: by the name of one in the library, or by a JSON or YAML file. */
final class Recipes {
  private static final String ENDINGS = "endings";

  /** Names a field that is set twice, and a second document, instead of dropping one of them. */
  private static final YAMLMapper YAML =
      YAMLMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private Recipes() {}

  /** A recipe, with some of its fields set otherwise. */
  static Recipe load(String nameOrFile, Map<String, String> fields) {
    return Recipe.of(tree(nameOrFile), fields);
  }

  /** What a recipe is called: its name, or its file's without folder and ending. */
  static String name(String nameOrFile) {
    return nameOrFile.replaceAll(".*[/\\\\]", "").replaceAll("\\.[a-z]+$", "");
  }

  /** Whether a recipe learns from the text that comes with the build. */
  static boolean bringsData(String nameOrFile, Recipe recipe, Path data) {
    return nameOrFile.equals("java") && data == null && recipe.data().source().isEmpty();
  }

  /** A recipe of text that takes all files of a folder, whatever their names end in. */
  static Recipe ofAllFiles(Recipe recipe) {
    return Configs.write(recipe.data()).has(ENDINGS)
        ? recipe.with("data." + ENDINGS, "[]")
        : recipe;
  }

  /**
   * A recipe that says where its data is: {@code data} if given, else its own, else for the recipe
   * {@code java} the text that comes with the build.
   *
   * @param endings of the files that count; empty for the recipe's own, which are meant for folders
   */
  static Recipe withData(String nameOrFile, Recipe recipe, Path data, List<String> endings) {
    JsonNode fields = Configs.write(recipe.data());
    String kind = recipe.data().type();
    if (recipe.data().isMade()) {
      if (data != null) {
        throw new CommandException(
            "the data of the recipe " + nameOrFile + " is made (" + kind + "): leave out --data");
      }
      return recipe;
    }
    boolean own = bringsData(nameOrFile, recipe, data);
    if (!own && data == null && recipe.data().source().isEmpty()) {
      throw new CommandException(
          "the recipe "
              + nameOrFile
              + (fields.has("target")
                  ? " has no texts: give them with --source and --target"
                  : " has no data (" + kind + "): give it with --data"));
    }
    if (!endings.isEmpty() && !fields.has(ENDINGS)) {
      throw new CommandException(
          "--ending selects files of text, but the data of the recipe is " + kind);
    }
    Path source =
        data != null ? data : own ? DefaultCorpus.find() : Path.of(recipe.data().source());
    Recipe complete = recipe.withData(source);
    boolean file = data != null && !Files.isDirectory(data);
    if (fields.has(ENDINGS) && (file || !endings.isEmpty())) {
      String list = new JsonMapper().valueToTree(endings).toString();
      return complete.with("data." + ENDINGS, list);
    }
    return complete;
  }

  private static JsonNode tree(String nameOrFile) {
    if (Recipe.names().contains(nameOrFile)) {
      return Recipe.tree(nameOrFile);
    }
    Path file = Path.of(nameOrFile);
    if (!Files.isRegularFile(file)) {
      throw new CommandException(
          "there is no recipe '"
              + nameOrFile
              + "'"
              + Nearest.hint(nameOrFile, Recipe.names())
              + ": expected "
              + String.join(", ", Recipe.names())
              + ", or a JSON or YAML file");
    }
    try {
      String text = RegularFile.text(file);
      boolean yaml = nameOrFile.endsWith(".yaml") || nameOrFile.endsWith(".yml");
      JsonNode recipe = yaml ? YAML.readTree(text) : Configs.tree(text);
      if (!recipe.isObject()) {
        throw new CommandException(
            file + " holds no recipe: expected the fields model, data and training");
      }
      return recipe;
    } catch (ConfigException e) {
      throw new CommandException(file + ": " + e.getMessage());
    } catch (JsonProcessingException e) {
      throw new CommandException(file + " is not valid YAML" + reason(e));
    } catch (IOException e) {
      throw new CommandException("cannot read the recipe " + nameOrFile + ": " + e.getMessage());
    }
  }

  private static String reason(JsonProcessingException e) {
    String line = e.getLocation() == null ? "" : " in line " + e.getLocation().getLineNr();
    String message = e.getOriginalMessage().lines().findFirst().orElse("");
    return line
        + ": "
        + (e instanceof MismatchedInputException
            ? "it holds more than one document: expected one recipe"
            : message);
  }
}
