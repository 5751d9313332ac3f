package dev.jformer.run;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.Checks;
import dev.jformer.config.Configs;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.train.Objective;
import dev.jformer.train.TrainingConfig;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * All that decides a run: what is trained, on what, and how.
 *
 * @param model the model
 * @param data what it learns from
 * @param training steps, rates and the like
 * @param from the folder of a model that was trained before, whose shape and weights this one
 *     begins with; empty to begin from nothing
 * @param objective what is made small
 */
@RecordBuilder
public record Recipe(
    Model.Config model, DataConfig data, TrainingConfig training, String from, Objective objective)
    implements RecipeBuilder.With {
  /** Checks that nothing is missing. */
  public Recipe {
    Checks.notNull("model", model);
    Checks.notNull("data", data);
    Checks.notNull("training", training);
    Checks.notNull("from", from);
    Checks.notNull("objective", objective);
  }

  /** From nothing, with the task's own loss. */
  public Recipe(Model.Config model, DataConfig data, TrainingConfig training) {
    this(model, data, training, "", new Objective.Plain());
  }

  /** A small model, bytes, and settings that suit both. */
  public Recipe() {
    this(new CausalLm.Config(), new TextData(), new TrainingConfig());
  }

  /**
   * A recipe that comes with the library, without its data.
   *
   * @param name one of {@link #names}
   * @throws dev.jformer.config.ConfigException if there is none of this name
   */
  public static Recipe named(String name) {
    return RecipeTree.bind(RecipeTree.named(name), Map.of());
  }

  /** The names of the recipes that come with the library. */
  public static List<String> names() {
    return RecipeTree.NAMES;
  }

  /** The JSON of a recipe that comes with the library. */
  public static JsonNode tree(String name) {
    return RecipeTree.named(name);
  }

  /**
   * A recipe in JSON.
   *
   * @param tree the fields model, data and training; what it leaves out keeps its default
   * @param fields values by the paths of fields, such as {@code training.steps}, that replace those
   *     of the tree: JSON, or else a string
   */
  public static Recipe of(JsonNode tree, Map<String, String> fields) {
    return RecipeTree.bind(tree, fields);
  }

  /**
   * A recipe in a JSON file.
   *
   * @throws dev.jformer.config.ConfigException if it cannot be read or is none
   */
  public static Recipe read(Path file) {
    return Configs.read(file, Recipe.class);
  }

  /**
   * The same with one field set by its path.
   *
   * @param path for example {@code model.layers}
   * @param value JSON, or else a string
   */
  public Recipe with(String path, String value) {
    return RecipeTree.bind(Configs.write(this), Map.of(path, value));
  }

  /** The same with data of its kind from this file or folder. */
  public Recipe withData(Path source) {
    return withData(data.withSource(RecipeTree.absolute(source)));
  }

  /** The same with other updates, evaluated as often as before in proportion. */
  public Recipe withSteps(int steps) {
    int times = Math.max(1, training.steps() / training.evaluateEvery());
    return withTraining(training.withSteps(steps, times));
  }

  /** The same with another seed. */
  public Recipe withSeed(long seed) {
    return withTraining(training.withSeed(seed));
  }

  /** The same beginning with a trained model; null for nothing. */
  public Recipe withFrom(Path folder) {
    String other = folder == null ? "" : RecipeTree.absolute(folder);
    return withFrom(other);
  }
}
