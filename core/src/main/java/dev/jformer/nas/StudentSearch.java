package dev.jformer.nas;

import dev.jformer.config.ConfigException;
import dev.jformer.model.Model;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.RunException;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.train.Classifying;
import dev.jformer.train.Passes;
import dev.jformer.train.Task;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * Searches for the model of a recipe that will learn best from a teacher, without training any.
 *
 * <pre>{@code
 * try (PreparedData data = Jobs.prepare(recipe);
 *     StudentSearch search = new StudentSearch(recipe, data, teacher.config(), new Diswot())) {
 *   List<AgeingEvolution.Scored> found =
 *       search.run(space, new AgeingEvolution(100, 20, 5, 1), done -> {});
 *   Recipe best = search.recipe(found.get(0).chosen());
 * }
 * }</pre>
 */
public final class StudentSearch implements AutoCloseable {
  private final Recipe recipe;
  private final PreparedData data;
  private final Model.Config teacher;
  private final StudentScore score;
  private final Model reader;
  private final Passes<?> passes;
  private final Scope scope;
  private long mostParameters = Long.MAX_VALUE;

  /**
   * Prepares a search. All scores are computed on the first batch of the recipe's training, with
   * its seed.
   *
   * @param recipe with the fields that all students share
   * @param data the recipe's data
   * @param teacher the teacher's configuration; its weights do not matter
   * @throws RunException if the recipe's task has no classes
   */
  public StudentSearch(Recipe recipe, PreparedData data, Model.Config teacher, StudentScore score) {
    this.recipe = recipe;
    this.data = data;
    this.teacher = data.fit(teacher);
    this.score = score;
    this.scope = Scope.open();
    Random.seed(recipe.training().seed());
    this.reader = data.build(this.teacher, recipe);
    Task task = data.task(reader, recipe, PreparedData.USUAL);
    if (!(task instanceof Classifying classifying)) {
      reader.close();
      scope.close();
      throw new RunException(
          "students are searched for tasks with classes: " + data.job().type() + " predicts none");
    }
    this.passes = classifying.passes(0);
  }

  /** Limits the number of a student's weights; larger ones get no score. */
  public StudentSearch withMostParameters(long most) {
    mostParameters = most;
    return this;
  }

  /** The recipe of a configuration. */
  public Recipe recipe(Map<String, String> chosen) {
    Recipe changed = recipe;
    for (Map.Entry<String, String> field : chosen.entrySet()) {
      changed = changed.with(field.getKey(), field.getValue());
    }
    return changed;
  }

  /**
   * The score of a configuration; negative infinity if it cannot be built, cannot read the batch,
   * or has too many weights.
   */
  public double score(Map<String, String> chosen) {
    Model.Config config;
    try {
      config = recipe(chosen).model();
    } catch (IllegalArgumentException | ConfigException e) {
      return Double.NEGATIVE_INFINITY;
    }
    return score(config);
  }

  /** The score of a model's configuration; see {@link #score(Map)}. */
  public double score(Model.Config config) {
    try (Scope inner = Scope.open()) {
      Random.seed(recipe.training().seed());
      Model student = null;
      Model teaching = null;
      try {
        student = data.build(data.fit(config), recipe);
        if (student.parameterCount() > mostParameters) {
          return Double.NEGATIVE_INFINITY;
        }
        teaching = data.build(teacher, recipe);
        return score.of(new Candidate(passes, student, teaching));
      } catch (IllegalArgumentException | ConfigException e) {
        return Double.NEGATIVE_INFINITY;
      } finally {
        if (student != null) {
          student.close();
        }
        if (teaching != null) {
          teaching.close();
        }
      }
    }
  }

  /** The number of weights of a configuration that can be built. */
  public long parameters(Map<String, String> chosen) {
    try (Model student = data.build(data.fit(recipe(chosen).model()), recipe)) {
      return student.parameterCount();
    }
  }

  /**
   * Searches a space.
   *
   * @return all scored configurations, the best first
   * @throws RunException if no configuration can be built within the limits
   */
  public List<AgeingEvolution.Scored> run(
      ConfigurationSpace space, AgeingEvolution evolution, IntConsumer progress) {
    check(space);
    List<AgeingEvolution.Scored> found = evolution.search(space, this::score, progress);
    if (found.get(0).score() == Double.NEGATIVE_INFINITY) {
      throw new RunException(
          "none of "
              + found.size()
              + " configurations could be scored: the first, "
              + found.get(0).chosen()
              + ", "
              + reason(found.get(0).chosen()));
    }
    return found;
  }

  /** Checks that each field exists, so that a misspelt one is not taken for a bad choice. */
  private void check(ConfigurationSpace space) {
    space
        .choices()
        .forEach(
            (field, values) -> {
              if (!field.startsWith("model.")) {
                throw new RunException(
                    field + " is no field of the model: expected one such as model.layers");
              }
            });
    Map<String, String> first = new LinkedHashMap<>();
    space.choices().forEach((field, values) -> first.put(field, values.get(0)));
    recipe(first);
  }

  private String reason(Map<String, String> chosen) {
    try {
      Model.Config config = data.fit(recipe(chosen).model());
      try (Model student = data.build(config, recipe)) {
        return student.parameterCount() > mostParameters
            ? "has " + student.parameterCount() + " weights, more than " + mostParameters
            : String.valueOf(score.of(new Candidate(passes, student, reader)));
      }
    } catch (IllegalArgumentException | ConfigException e) {
      return "is refused: " + e.getMessage();
    }
  }

  /** Releases the batch. */
  @Override
  public void close() {
    reader.close();
    scope.close();
  }
}
