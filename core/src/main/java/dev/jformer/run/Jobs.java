package dev.jformer.run;

import dev.jformer.config.Configs;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.stream.Collectors;

/** Finds the job of a recipe or of a trained model. */
public final class Jobs {
  private Jobs() {}

  /** All jobs, in the order of their names. */
  public static Collection<Job> all() {
    return Configs.parts(Job.class).values();
  }

  /**
   * Finds the job that trains a recipe's model on its data.
   *
   * @throws RunException if there is none
   */
  public static Job of(Recipe recipe) {
    return all().stream()
        .filter(job -> job.trains(recipe.data(), recipe.model()))
        .findFirst()
        .orElseThrow(
            () ->
                new RunException(
                    recipe.model().noun()
                        + " model cannot be trained on "
                        + recipe.data().type()
                        + ": there is "
                        + all().stream().map(Job::type).collect(Collectors.joining(", "))));
  }

  /**
   * Finds the job of a trained model by its folder, or else by its configuration.
   *
   * @throws RunException if there is none
   */
  public static Job of(Path folder, Model.Config trained) {
    return all().stream()
        .filter(job -> job.owns(folder) && job.model().isInstance(trained))
        .findFirst()
        .orElseGet(() -> of(trained));
  }

  /**
   * Finds the job of a trained model.
   *
   * @throws RunException if there is none
   */
  public static Job of(Model.Config trained) {
    return all().stream()
        .filter(job -> job.uses(trained))
        .findFirst()
        .orElseThrow(
            () -> new RunException("there is no job for a model of type " + trained.type()));
  }

  /**
   * Sets a recipe's model to the shape of the trained model that it begins with, if there is one.
   *
   * @throws RunException if the trained model is of another family
   */
  public static Recipe resolved(Recipe recipe) throws IOException {
    try (PretrainedStart start = PretrainedStart.of(recipe)) {
      return recipe.withModel(start.config(of(recipe).model()));
    }
  }

  /** Prepares a recipe's data in a temporary folder, for any number of trainings. */
  public static PreparedData prepare(Recipe recipe) throws IOException {
    return prepare(recipe, Workspace.temporary());
  }

  /** Prepares a recipe's data in a permanent folder. */
  public static PreparedData prepare(Recipe recipe, Path folder, Progress progress)
      throws IOException {
    Files.createDirectories(folder);
    return prepare(recipe, Workspace.in(folder, progress));
  }

  static PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    try {
      return of(recipe).prepare(recipe, workspace);
    } catch (IOException | RuntimeException | Error e) {
      workspace.close();
      throw e;
    }
  }
}
