package dev.jformer.studies.trial;

import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.Trial;
import java.nio.file.Path;

/**
 * A trial that trains the model of a recipe on prepared data of any kind. A training that diverges
 * is a result, not an error.
 *
 * @param recipe of the training; the session's seed replaces its seed
 * @param data prepared data
 * @param evaluationBatches maximum number of held-out batches in an evaluation
 */
public record RecipeTrial(Recipe recipe, PreparedData data, long evaluationBatches)
    implements Trial<TrainingResult> {
  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  @Override
  public TrainingResult run(Session session) {
    return TrialTraining.result(
        outcome(recipe.withSeed(session.seed()), session.progress(), session.unfinished()));
  }

  /** Trains once with the recipe's seed. */
  public TrainingOutcome outcome() {
    return outcome(recipe, (done, detail) -> {}, null);
  }

  private TrainingOutcome outcome(Recipe seeded, Progress progress, Path unfinished) {
    return TrialTraining.outcome(
        Training.of(seeded, data)
            .withOwnShape()
            .withCheckpoints(unfinished)
            .withEvaluationBatches(evaluationBatches)
            .withMeasurements(),
        progress);
  }
}
