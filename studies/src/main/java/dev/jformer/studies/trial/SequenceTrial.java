package dev.jformer.studies.trial;

import dev.jformer.metrics.Metric;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.Trial;
import java.util.Map;

/**
 * A trial that trains a classifier of sequences by a recipe, with its pretraining if it has one.
 * The metric {@code accuracy} is the best of all evaluations on held-out sequences; {@code early}
 * is the best of those in the first updates.
 *
 * @param recipe its seed is set to that of the session
 * @param data prepared for the recipe
 * @param first number of updates whose evaluations {@code early} is of
 */
public record SequenceTrial(Recipe recipe, PreparedData data, int first)
    implements Trial<TrainingResult> {
  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  @Override
  public TrainingResult run(Session session) {
    TrainingOutcome outcome =
        TrialTraining.converged(
            TrialTraining.outcome(
                Training.of(recipe.withSeed(session.seed()), data), session.progress()));
    return TrialTraining.result(outcome)
        .withMetrics(
            Map.of(
                "accuracy", best(outcome, recipe.training().steps()),
                "early", best(outcome, first)));
  }

  private static double best(TrainingOutcome outcome, int steps) {
    return outcome.evaluations().stream()
        .filter(evaluation -> evaluation.step() <= steps)
        .mapToDouble(evaluation -> evaluation.metrics().get(Metric.ACCURACY))
        .max()
        .orElse(Double.NaN);
  }
}
