package dev.jformer.studies.trial;

import dev.jformer.data.text.TokenFile;
import dev.jformer.model.CausalLm;
import dev.jformer.run.LanguageModellingJob;
import dev.jformer.run.Recipe;
import dev.jformer.run.TextData;
import dev.jformer.run.Training;
import dev.jformer.studies.Trial;
import dev.jformer.train.Listener;
import dev.jformer.train.Objective;
import dev.jformer.train.TrainingConfig;
import java.nio.file.Path;
import java.util.function.Function;

/**
 * Training a language model to see what comes of it. A loss that ceases to be a number is an
 * outcome here, not an error.
 *
 * @param model what is trained
 * @param training how; its steps are the budget
 * @param evaluationBatches the most batches of held-out text an evaluation looks at
 * @param observer is told of each update and evaluation; may be null
 * @param objective what is made small
 * @param listener made for the model before it learns, and told of each update; may give null
 */
public record LanguageTrial(
    CausalLm.Config model,
    TrainingConfig training,
    long evaluationBatches,
    Observer observer,
    Objective objective,
    Function<? super CausalLm, ? extends Listener> listener)
    implements Trial<TrainingResult> {
  /** Looks at a model while it learns; not counted as training time. */
  public interface Observer {
    /** After every evaluation, with the model in inference mode and no gradients recorded. */
    void evaluated(CausalLm model, long step, double loss);
  }

  /** With the task's own loss. */
  public LanguageTrial(
      CausalLm.Config model, TrainingConfig training, long evaluationBatches, Observer observer) {
    this(model, training, evaluationBatches, observer, new Objective.Plain(), built -> null);
  }

  /** Without an observer, evaluating on at most 40 batches. */
  public LanguageTrial(CausalLm.Config model, TrainingConfig training) {
    this(model, training, 40, null);
  }

  /** The same with another objective. */
  public LanguageTrial withObjective(Objective other) {
    return new LanguageTrial(model, training, evaluationBatches, observer, other, listener);
  }

  /** The same with a listener. */
  public LanguageTrial withListener(Function<? super CausalLm, ? extends Listener> made) {
    return new LanguageTrial(model, training, evaluationBatches, observer, objective, made);
  }

  /** The same with another seed. */
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
   * @param unfinished folder where checkpoints go, and where an interrupted training of the same
   *     trial is taken up; null for none. A trial with an observer always begins anew.
   */
  public TrainingResult run(TokenFile text, Progress progress, Path unfinished) {
    Path folder = observer == null ? unfinished : null;
    return TrialTraining.result(
        TrialTraining.outcome(
            on(text).withCheckpoints(folder), CausalLm.class, progress, this::listening));
  }

  /**
   * The same with results of another kind, which an examination finds. It keeps no checkpoints, and
   * its training result says nothing of memory.
   */
  public <R extends Record> Trial<R> examined(Class<R> kind, Examination<CausalLm, R> examination) {
    return Trial.of(
        kind,
        session ->
            TrialTraining.run(
                withSeed(session.seed()).on(session.text()),
                CausalLm.class,
                session.progress(),
                this::listening,
                examination));
  }

  private Training on(TokenFile text) {
    return Training.of(
            new Recipe(model, new TextData(), training).withObjective(objective),
            LanguageModellingJob.of(text))
        .withEvaluationBatches(evaluationBatches)
        .withMeasurements();
  }

  /** What is told of a training: the listener made for the model, and the observer. */
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
