package dev.jformer.run;

import dev.jformer.config.Configs;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.stream.Collectors;

/** Finds jobs: that of a recipe, and that of a trained model. */
public final class Jobs {
  private Jobs() {}

  /** All jobs, in the order of their names. */
  public static Collection<Job> all() {
    return Configs.parts(Job.class).values();
  }

  /**
   * The job that trains a recipe's model on its data.
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
                    "a "
                        + recipe.model().type()
                        + " model cannot be trained on "
                        + recipe.data().type()
                        + ": there is "
                        + all().stream().map(Job::type).collect(Collectors.joining(", "))));
  }

  /**
   * The job of a trained model.
   *
   * @throws RunException if there is none
   */
  public static Job of(Model.Config trained) {
    return all().stream()
        .filter(job -> job.uses(trained))
        .findFirst()
        .orElseThrow(() -> new RunException("no job knows what to do with a " + trained.type()));
  }

  /**
   * A recipe with the model that it trains: if it begins with a trained one, that one's shape.
   *
   * @throws RunException if the trained model is of another family
   */
  public static Recipe resolved(Recipe recipe) throws IOException {
    try (PretrainedStart start = PretrainedStart.of(recipe)) {
      return recipe.withModel(start.config(of(recipe).model()));
    }
  }

  /** Makes a recipe's data ready in a temporary folder, for any number of trainings. */
  public static PreparedData prepare(Recipe recipe) throws IOException {
    return prepare(recipe, Workspace.temporary());
  }

  /** Makes a recipe's data ready in a folder that keeps it. */
  public static PreparedData prepare(Recipe recipe, Path folder, Progress progress)
      throws IOException {
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
