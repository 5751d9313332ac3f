package dev.jformer.studies.trial;

import dev.jformer.model.Model;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingObserver;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.train.Listener;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.util.List;
import java.util.function.DoubleConsumer;

/**
 * The held-out losses during a training, and its time.
 *
 * @param losses on held-out data, at equal intervals of updates
 * @param seconds of training, without evaluations
 */
public record TrainingCurve(List<Double> losses, double seconds) {
  /**
   * Trains a model on a task.
   *
   * @param progress receives the share that is done, 0 to 1
   * @param others more listeners
   * @throws dev.jformer.train.DivergenceException if the loss becomes NaN or infinite
   */
  public static TrainingCurve of(
      Model model,
      Task task,
      TrainingConfig training,
      DoubleConsumer progress,
      Listener... others) {
    Training made = Training.of(model, task, training);
    for (Listener other : others) {
      made.withObserver(observing(other));
    }
    TrainingOutcome outcome = TrialTraining.outcome(made, (done, detail) -> progress.accept(done));
    return TrialTraining.curve(TrialTraining.result(TrialTraining.converged(outcome)));
  }

  private static TrainingObserver observing(Listener listener) {
    return new TrainingObserver() {
      @Override
      public void step(Step step) {
        listener.step(step);
      }

      @Override
      public void evaluation(Evaluation evaluation) {
        listener.evaluation(evaluation);
      }
    };
  }

  /** Returns the losses by updates as a curve; {@code steps} is the total number of updates. */
  public Figure.Series curve(String name, int steps) {
    double interval = (double) steps / losses.size();
    return Figure.Series.spaced(name, interval, interval, losses);
  }

  /** Returns the last loss. */
  public double last() {
    return losses.get(losses.size() - 1);
  }

  /** Returns the lowest loss. */
  public double best() {
    return losses.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
  }
}
