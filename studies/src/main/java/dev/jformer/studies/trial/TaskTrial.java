package dev.jformer.studies.trial;

import dev.jformer.model.Model;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/**
 * A trial that trains a model on a task that no other trial covers.
 *
 * @param model builds the model, after the session's seed is set
 * @param training configuration of the training; the session's seed replaces its seed
 * @param task makes the task for the model
 * @param metrics measures the trained model, in inference mode and without recording gradients
 * @param <M> type of the model
 * @param <T> type of the task
 */
public record TaskTrial<M extends Model, T extends Task>(
    Supplier<M> model,
    TrainingConfig training,
    BiFunction<M, Trial.Session, T> task,
    BiFunction<M, T, Map<String, Double>> metrics)
    implements Trial<TrainingResult> {
  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  @Override
  public TrainingResult run(Session session) {
    Random.seed(session.seed());
    try (M built = model.get()) {
      T learned = task.apply(built, session);
      TrainingCurve course =
          TrainingCurve.of(
              built,
              learned,
              training.withSeed(session.seed()),
              done -> session.progress().at(done, ""));
      built.train(false);
      try (Mode mode = Autograd.noGrad()) {
        return TrainingResult.of(
            course, training.steps(), built.parameterCount(), metrics.apply(built, learned));
      }
    }
  }
}
