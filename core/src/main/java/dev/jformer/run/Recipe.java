package dev.jformer.run;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.adapt.Adapter;
import dev.jformer.adapt.NoAdapter;
import dev.jformer.config.Checks;
import dev.jformer.config.Configs;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.train.Objective;
import dev.jformer.train.TrainingConfig;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A recipe: the complete configuration of a run.
 *
 * @param model the model
 * @param data the data to train on
 * @param training the settings of training
 * @param from the folder of a trained model whose shape and weights the run begins with; empty for
 *     random weights
 * @param objective the training objective
 * @param adapter the adapter that is trained beside the frozen weights of the model that the run
 *     begins with; {@code none} to train all weights
 * @param pretraining what the model learns on the same data before it learns the task
 */
@RecordBuilder
public record Recipe(
    Model.Config model,
    DataConfig data,
    TrainingConfig training,
    String from,
    Objective objective,
    Adapter adapter,
    Pretraining pretraining)
    implements RecipeBuilder.With {
  /** Checks that no field is null. */
  public Recipe {
    Checks.notNull("model", model);
    Checks.notNull("data", data);
    Checks.notNull("training", training);
    Checks.notNull("from", from);
    Checks.notNull("objective", objective);
    Checks.notNull("adapter", adapter);
    Checks.notNull("pretraining", pretraining);
  }

  /** Creates a recipe with random initial weights and the task's own loss. */
  public Recipe(Model.Config model, DataConfig data, TrainingConfig training) {
    this(model, data, training, "", new Objective.Plain(), new NoAdapter(), new Pretraining());
  }

  /** Defaults: a small language model of bytes. */
  public Recipe() {
    this(new CausalLm.Config(), new TextData(), new TrainingConfig());
  }

  /**
   * Loads a recipe that comes with the library, without its data.
   *
   * @param name one of {@link #names}
   * @throws dev.jformer.config.ConfigException if there is no such recipe
   */
  public static Recipe named(String name) {
    return RecipeTree.bind(RecipeTree.named(name), Map.of());
  }

  /** The names of the recipes that come with the library. */
  public static List<String> names() {
    return RecipeTree.NAMES;
  }

  /** Loads the JSON of a recipe that comes with the library. */
  public static JsonNode tree(String name) {
    return RecipeTree.named(name);
  }

  /**
   * Reads a recipe from a JSON tree.
   *
   * @param tree an object with the fields model, data and training; missing fields keep their
   *     defaults
   * @param fields values by the paths of fields, such as {@code training.steps}, that replace those
   *     of the tree: JSON, or else a string
   */
  public static Recipe of(JsonNode tree, Map<String, String> fields) {
    return RecipeTree.bind(tree, fields);
  }

  /**
   * Reads a recipe from a JSON file.
   *
   * @throws dev.jformer.config.ConfigException if it cannot be read or is not a recipe
   */
  public static Recipe read(Path file) {
    return Configs.read(file, Recipe.class);
  }

  /**
   * Returns this recipe with one field set by its path.
   *
   * @param path for example {@code model.layers}
   * @param value JSON, or else a string
   */
  public Recipe with(String path, String value) {
    return RecipeTree.bind(Configs.write(this), Map.of(path, value));
  }

  /** The files and folders that a run reads: its data, the model that it begins with, a teacher. */
  List<Path> inputs() {
    List<Path> inputs = new ArrayList<>(data.inputs());
    if (!from.isEmpty()) {
      inputs.add(Path.of(from));
    }
    objective.teacherFolder().ifPresent(inputs::add);
    return inputs;
  }

  /**
   * The folder of the trained model whose tokenizer and classes a run takes over: the one that it
   * begins with, or else its teacher; empty for none.
   */
  String relative() {
    return from.isEmpty() ? objective.teacherFolder().map(Path::toString).orElse("") : from;
  }

  /** Returns this recipe with its data read from another file or folder. */
  public Recipe withData(Path source) {
    return withData(data.withSource(RecipeTree.absolute(source)));
  }

  /** Returns this recipe with another number of steps and the same number of evaluations. */
  public Recipe withSteps(int steps) {
    int times = Math.max(1, training.steps() / training.evaluateEvery());
    return withTraining(training.withSteps(steps, times));
  }

  /** Returns this recipe with another seed. */
  public Recipe withSeed(long seed) {
    return withTraining(training.withSeed(seed));
  }

  /** Returns this recipe beginning with a trained model; null for random weights. */
  public Recipe withFrom(Path folder) {
    String other = folder == null ? "" : RecipeTree.absolute(folder);
    return withFrom(other);
  }
}
