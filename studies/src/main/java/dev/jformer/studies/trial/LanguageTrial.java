package dev.jformer.studies.trial;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import dev.jformer.data.text.TokenFile;
import dev.jformer.model.CausalLm;
import dev.jformer.run.LanguageModellingJob;
import dev.jformer.run.Recipe;
import dev.jformer.run.TextData;
import dev.jformer.run.Training;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Listener;
import dev.jformer.train.Objective;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A trial that trains a language model. A training that diverges is a result, not an error.
 *
 * @param model configuration of the model
 * @param training configuration of the training
 * @param evaluationBatches maximum number of held-out batches in an evaluation
 * @param observer receives each evaluation; may be null
 * @param objective that is minimized
 * @param listener makes a listener for the model before training; may return null
 */
public record LanguageTrial(
    CausalLm.Config model,
    TrainingConfig training,
    long evaluationBatches,
    Observer observer,
    Objective objective,
    Function<? super CausalLm, ? extends Listener> listener)
    implements Trial<TrainingResult> {
  /** Receives the model after each evaluation; its time does not count as training time. */
  public interface Observer {
    /**
     * Called after every evaluation, with the model in inference mode and no gradients recorded.
     */
    void evaluated(CausalLm model, long step, double loss);
  }

  /** Creates a trial with the task's own loss. */
  public LanguageTrial(
      CausalLm.Config model, TrainingConfig training, long evaluationBatches, Observer observer) {
    this(model, training, evaluationBatches, observer, new Objective.Plain(), built -> null);
  }

  /** Creates a trial without an observer. */
  public LanguageTrial(CausalLm.Config model, TrainingConfig training, long evaluationBatches) {
    this(model, training, evaluationBatches, null);
  }

  /** Creates a trial without an observer that evaluates on at most 40 batches. */
  public LanguageTrial(CausalLm.Config model, TrainingConfig training) {
    this(model, training, 40);
  }

  /** Returns this trial with another objective. */
  public LanguageTrial withObjective(Objective other) {
    return new LanguageTrial(model, training, evaluationBatches, observer, other, listener);
  }

  /** Returns this trial with a listener. */
  public LanguageTrial withListener(Function<? super CausalLm, ? extends Listener> made) {
    return new LanguageTrial(model, training, evaluationBatches, observer, objective, made);
  }

  /** Returns this trial with another seed. */
  public LanguageTrial withSeed(long seed) {
    return new LanguageTrial(
        model, training.withSeed(seed), evaluationBatches, observer, objective, listener);
  }

  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  /** Trains on the session's text. A trial with an observer keeps no checkpoints. */
  @Override
  public TrainingResult run(Session session) {
    return withSeed(session.seed()).run(session.text(), session.progress(), session.unfinished());
  }

  /**
   * Trains on {@code text} with the seed of {@link #training}.
   *
   * @param unfinished folder for checkpoints, from which an interrupted training resumes; null for
   *     none. A trial with an observer always starts from the beginning.
   */
  public TrainingResult run(TokenFile text, Progress progress, Path unfinished) {
    Path folder = observer == null ? unfinished : null;
    return TrialTraining.result(
        TrialTraining.outcome(
            on(text).withCheckpoints(folder), CausalLm.class, progress, this::listening));
  }

  /**
   * Builds and trains a model on {@code text}, with the seed of {@link #training}.
   *
   * @param progress receives the share that is done, 0 to 1
   * @return the model, in inference mode; the caller closes it
   */
  public CausalLm trained(TokenFile text, DoubleConsumer progress) {
    Random.seed(training.seed());
    CausalLm built = model.build();
    train(built, text, progress);
    return built;
  }

  /** As {@link #trained}, for a model that was built elsewhere; returns its losses. */
  public TrainingCurve train(CausalLm built, TokenFile text, DoubleConsumer progress) {
    Task task =
        new LanguageModelling(built, text, training.batch(), training.seed(), evaluationBatches);
    TrainingCurve losses = TrainingCurve.of(built, task, training, progress);
    built.train(false);
    return losses;
  }

  /**
   * Returns a trial that trains in the same way and returns the result of an examination. It saves
   * no checkpoints, and its training result has no peak memory.
   */
  public <R extends Record> Trial<R> examined(Class<R> kind, Examination<CausalLm, R> examination) {
    return Trial.of(kind, session -> examine(session, examination));
  }

  /**
   * Trains once, as a trial that is {@link #examined}, and returns the result of the examination.
   */
  public <R> R examine(Session session, Examination<CausalLm, R> examination) {
    return TrialTraining.run(
        withSeed(session.seed()).on(session.text()),
        CausalLm.class,
        session.progress(),
        this::listening,
        examination);
  }

  /** Looks at a model while it learns, as an {@link Observer} does. */
  public interface Look<L> {
    /** What is seen after an evaluation. */
    L at(CausalLm model, long step);
  }

  /** As {@link Examination}, with what was seen while the model learned. */
  public interface Watched<L, R> {
    /** What is found; {@code looks} has one entry for each evaluation. */
    R of(CausalLm model, TrainingResult result, List<L> looks);
  }

  /** As {@link #examined}; the model is looked at after every evaluation as well. */
  public <L, R extends Record> Trial<R> watched(
      Class<R> kind, Look<L> look, Watched<L, R> examination) {
    return Trial.of(
        kind,
        session -> {
          List<L> looks = new ArrayList<>();
          Observer looking = (lm, step, loss) -> looks.add(inScope(() -> look.at(lm, step)));
          return new LanguageTrial(model, training, evaluationBatches, looking, objective, listener)
              .examined(kind, (lm, result) -> examination.of(lm, result, List.copyOf(looks)))
              .run(session);
        });
  }

  private static <L> L inScope(Supplier<L> look) {
    try (Scope scope = Scope.open()) {
      return look.get();
    }
  }

  /**
   * Adds a table and a figure of trained language models to a report: losses, time, memory, size.
   *
   * @param title of the table
   * @param arm title of its first column
   */
  public static void report(
      ExperimentContext lab, Measured<TrainingResult> runs, String title, String arm) {
    lab.table(
        runs.table(
            title,
            arm,
            column("loss", "nats a byte", TrainingResult::finalLoss),
            column("ms a step", run -> 1e3 * run.seconds() / run.steps()),
            column("peak MB", run -> run.peakBytes() / 1e6),
            fixed("weights", TrainingResult::parameters)));
    lab.figure(
        runs.figure(
            "Language models, first seed", "updates", "held-out loss", TrainingResult::curve));
  }

  private Training on(TokenFile text) {
    return Training.of(
            new Recipe(model, new TextData(), training).withObjective(objective),
            LanguageModellingJob.of(text))
        .withEvaluationBatches(evaluationBatches)
        .withMeasurements();
  }

  /** Combines the listener made for the model with the observer. */
  private Listener listening(CausalLm built) {
    Listener made = listener.apply(built);
    Listener other = made == null ? new Listener() {} : made;
    return new Listener() {
      @Override
      public void step(Step step) {
        other.step(step);
      }

      @Override
      public void evaluation(Evaluation evaluation) {
        other.evaluation(evaluation);
        if (observer != null) {
          observer.evaluated(built, evaluation.step(), evaluation.value());
        }
      }
    };
  }
}
