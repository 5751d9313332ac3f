package dev.jformer.studies.trial;

import dev.jformer.model.TokenClassifier;
import dev.jformer.studies.Trial;
import dev.jformer.train.TrainingConfig;
import java.util.List;
import java.util.Map;

/**
 * A trial that trains a token classifier on {@link ListBatches}, with new problems in every batch.
 * The metric {@code accuracy} is the accuracy on held-out problems at the end.
 *
 * @param problems the task
 * @param model of {@link ListBatches#VOCAB} tokens and {@link ListBatches#LABELS} classes
 * @param training configuration of the training
 * @param heldOut number of problems in an evaluation
 */
public record ListTrial(
    ListBatches problems, TokenClassifier.Config model, TrainingConfig training, int heldOut)
    implements Trial<TrainingResult> {
  /** The first seed of held-out problems, far from the seeds of those to train on. */
  private static final long HELD_OUT = -1_000_000_000L;

  private static final int PART = 250;

  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  @Override
  public TrainingResult run(Session session) {
    return new TaskTrial<>(
            model::build,
            training,
            (built, own) -> task(built, own.seed()),
            (built, task) -> {
              List<Double> accuracies = task.accuracies();
              return Map.of("accuracy", accuracies.get(accuracies.size() - 1));
            })
        .run(session);
  }

  private TokenLabelling task(TokenClassifier built, long seed) {
    return new TokenLabelling(
        built,
        training.batch(),
        index -> problems.batch(training.batch(), seed * training.steps() + index),
        (heldOut + PART - 1) / PART,
        part -> problems.batch(Math.min(PART, heldOut), HELD_OUT + part));
  }
}
