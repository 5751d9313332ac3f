package dev.jformer.studies.trial;

import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingObserver;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.Trial;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

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
    return result(
        outcome(recipe.withSeed(session.seed()), session.progress(), session.unfinished()));
  }

  /** Trains once with the recipe's own seed. */
  public TrainingOutcome outcome() {
    return outcome(recipe, (done, detail) -> {}, null);
  }

  private TrainingOutcome outcome(Recipe seeded, Progress progress, Path unfinished) {
    TrainingObserver shown =
        new TrainingObserver() {
          @Override
          public void step(Step step) {
            progress.at(
                (double) step.step() / step.steps(),
                String.format(
                    Locale.ROOT, "loss %.3f, %,.0f units/s", step.loss(), step.unitsPerSecond()));
          }
        };
    try {
      return Training.of(seeded, data)
          .withOwnShape()
          .withCheckpoints(unfinished)
          .withEvaluationBatches(evaluationBatches)
          .withMeasurements()
          .withObserver(shown)
          .run();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot train " + seeded.model().type(), e);
    }
  }

  private static TrainingResult result(TrainingOutcome outcome) {
    boolean lost = outcome.diverged() || outcome.last() == null;
    return new TrainingResult(
        outcome.losses().stream()
            .map(l -> new TrainingResult.Point(l.step(), l.seconds(), l.value()))
            .toList(),
        outcome.evaluations().stream()
            .map(e -> new TrainingResult.Point(e.step(), e.seconds(), e.metrics().loss()))
            .toList(),
        lost ? Double.POSITIVE_INFINITY : outcome.last().loss(),
        outcome.steps(),
        outcome.seconds(),
        outcome.unitsPerSecond(),
        outcome.parameters(),
        outcome.peakBytes(),
        outcome.flopsPerUnit(),
        outcome.diverged(),
        lost ? Map.of() : named(outcome.last()));
  }

  /** The metrics beside the loss. */
  private static Map<String, Double> named(Metrics metrics) {
    Map<String, Double> values = new LinkedHashMap<>();
    List<Metric> others =
        metrics.all().stream().filter(metric -> !metric.name().equals(Metric.LOSS)).toList();
    others.forEach(metric -> values.put(metric.name(), metric.value()));
    return values;
  }
}
