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
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A trial that trains a model on a task that no other trial covers.
 *
 * @param model builds the model of a session, after its seed is set
 * @param training configuration of the training; the session's seed replaces its seed
 * @param task makes the task for the model
 * @param metrics measures the trained model, in inference mode and without recording gradients
 * @param <M> type of the model
 * @param <T> type of the task
 */
public record TaskTrial<M extends Model, T extends Task>(
    Function<Trial.Session, M> model,
    TrainingConfig training,
    BiFunction<M, Trial.Session, T> task,
    BiFunction<M, T, Map<String, Double>> metrics)
    implements Trial<TrainingResult> {
  /** Creates a trial whose model depends on the engine's random numbers only. */
  public TaskTrial(
      Supplier<M> model,
      TrainingConfig training,
      BiFunction<M, Trial.Session, T> task,
      BiFunction<M, T, Map<String, Double>> metrics) {
    this(session -> model.get(), training, task, metrics);
  }

  /** As above, without metrics. */
  public TaskTrial(
      Supplier<M> model, TrainingConfig training, BiFunction<M, Trial.Session, T> task) {
    this(session -> model.get(), training, task);
  }

  /** Creates a trial without metrics. */
  public TaskTrial(
      Function<Trial.Session, M> model,
      TrainingConfig training,
      BiFunction<M, Trial.Session, T> task) {
    this(model, training, task, (built, learned) -> Map.of());
  }

  /** An {@link dev.jformer.studies.trial.Examination} that also gets the task. */
  public interface Examination<M, T, R> {
    /** Measures the model. */
    R of(M model, T task, TrainingResult result);
  }

  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  @Override
  public TrainingResult run(Session session) {
    return examine(
        session, (built, learned, result) -> result.withMetrics(metrics.apply(built, learned)));
  }

  /** Returns a trial that trains in the same way and returns the result of an examination. */
  public <R extends Record> Trial<R> examined(Class<R> kind, Examination<M, T, R> examination) {
    return Trial.of(kind, session -> examine(session, examination));
  }

  /**
   * Trains once, as a trial that is {@link #examined}, and returns the result of the examination.
   */
  public <R> R examine(Session session, Examination<M, T, R> examination) {
    Random.seed(session.seed());
    try (M built = model.apply(session)) {
      T learned = task.apply(built, session);
      TrainingCurve course =
          TrainingCurve.of(
              built,
              learned,
              training.withSeed(session.seed()),
              done -> session.progress().at(done, ""));
      built.train(false);
      try (Mode mode = Autograd.noGrad()) {
        TrainingResult result =
            TrainingResult.of(course, training.steps(), built.parameterCount(), Map.of());
        return examination.of(built, learned, result);
      }
    }
  }
}
