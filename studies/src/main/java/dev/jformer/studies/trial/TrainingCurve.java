package dev.jformer.studies.trial;

import dev.jformer.model.Model;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingObserver;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.train.Listener;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;

/**
 * What a training came to.
 *
 * @param losses on held-out data, after equally many updates each
 * @param seconds of training, evaluations left out
 */
public record TrainingCurve(List<Double> losses, double seconds) {
  /**
   * Trains a model that is there already by a task of one's own.
   *
   * @param others who else is told how it goes
   * @throws dev.jformer.train.DivergenceException if the loss is not a number any more
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
    return TrialTraining.curve(
        TrialTraining.outcome(made, (done, detail) -> progress.accept(done)));
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

  /** The losses by updates, of which there were so many in all, as a curve. */
  public Figure.Series curve(String name, int steps) {
    List<Double> at = new ArrayList<>();
    for (int i = 1; i <= losses.size(); i++) {
      at.add((double) steps * i / losses.size());
    }
    return Figure.Series.line(name, at, losses);
  }

  /** The last loss. */
  public double last() {
    return losses.get(losses.size() - 1);
  }

  /** The lowest loss. */
  public double best() {
    return losses.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
  }
}
