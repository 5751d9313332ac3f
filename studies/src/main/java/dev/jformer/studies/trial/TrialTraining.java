package dev.jformer.studies.trial;

import dev.jformer.metrics.Metric;
import dev.jformer.model.Model;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingObserver;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.train.DivergenceException;
import dev.jformer.train.Listener;
import dev.jformer.train.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** Runs the trainings of trials and converts their outcomes to {@link TrainingResult}. */
final class TrialTraining {
  private TrialTraining() {}

  /**
   * Trains and reports the progress.
   *
   * @param listener makes a listener for the model before training; may return null
   * @param examination of the trained model
   * @return the result of the examination
   */
  static <M extends Model, R> R run(
      Training training,
      Class<M> family,
      Trial.Progress progress,
      Function<? super M, ? extends Listener> listener,
      Examination<M, R> examination) {
    Observer<M, R> observer = new Observer<>(family, progress, listener, examination);
    outcome(training.withObserver(observer));
    return observer.found;
  }

  /** Trains and reports the progress. */
  static TrainingOutcome outcome(Training training, Trial.Progress progress) {
    return outcome(training, Model.class, progress, model -> null);
  }

  /** As above, with a listener as in {@link #run}. */
  static <M extends Model> TrainingOutcome outcome(
      Training training,
      Class<M> family,
      Trial.Progress progress,
      Function<? super M, ? extends Listener> listener) {
    return outcome(
        training.withObserver(
            new Observer<M, Void>(family, progress, listener, (model, result) -> null)));
  }

  private static TrainingOutcome outcome(Training training) {
    try {
      return training.run();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the model that a training begins with", e);
    }
  }

  private static final class Observer<M extends Model, R> implements TrainingObserver {
    private final Class<M> family;
    private final Trial.Progress progress;
    private final Function<? super M, ? extends Listener> listener;
    private final Examination<M, R> examination;
    private Listener told;
    private R found;

    Observer(
        Class<M> family,
        Trial.Progress progress,
        Function<? super M, ? extends Listener> listener,
        Examination<M, R> examination) {
      this.family = family;
      this.progress = progress;
      this.listener = listener;
      this.examination = examination;
    }

    @Override
    public void begun(Model model, Task task, long step) {
      Listener made = listener.apply(family.cast(model));
      told = made == null ? new Listener() {} : made;
    }

    @Override
    public void step(Step step) {
      told.step(step);
      progress.at(
          (double) step.step() / step.steps(),
          String.format(
              Locale.ROOT, "loss %.3f, %,.0f units/s", step.loss(), step.unitsPerSecond()));
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      told.evaluation(evaluation);
    }

    @Override
    public void ended(Model model, TrainingOutcome outcome) {
      model.train(false);
      try (Mode mode = Autograd.noGrad()) {
        found = examination.of(family.cast(model), result(outcome));
      }
    }
  }

  /** Returns the result of a training, which may have diverged. */
  static TrainingResult result(TrainingOutcome outcome) {
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
        lost ? Map.of() : besideTheLoss(outcome),
        List.of());
  }

  private static Map<String, Double> besideTheLoss(TrainingOutcome outcome) {
    Map<String, Double> values = new TreeMap<>();
    for (Metric metric : outcome.last().all()) {
      if (!metric.name().equals(Metric.LOSS)) {
        values.put(metric.name(), metric.value());
      }
    }
    return values;
  }

  /** Returns an outcome; throws an exception, with its reason, if the training diverged. */
  static TrainingOutcome converged(TrainingOutcome outcome) {
    if (outcome.diverged()) {
      throw new DivergenceException(outcome.failure());
    }
    return outcome;
  }

  /** Returns the losses on held-out data; throws an exception if the training diverged. */
  static TrainingCurve curve(TrainingResult result) {
    if (result.diverged()) {
      throw new DivergenceException("the training diverged: its loss became NaN or infinite");
    }
    return new TrainingCurve(
        result.validation().stream().map(TrainingResult.Point::loss).toList(), result.seconds());
  }
}
