package dev.jformer.studies.trial;

import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.Trial;
import java.nio.file.Path;

/**
 * Training a recipe's model, in the shape that the recipe says, on data of any kind that is ready.
 * A loss that ceases to be a number is an outcome here, not an error.
 *
 * @param recipe what is trained and how; the seed is the session's
 * @param data what it learns from
 * @param evaluationBatches the most batches of held-out data that an evaluation looks at
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

  /** Trains once with the recipe's own seed. */
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
