package dev.jformer.studies.trial;

import dev.jformer.nn.Module;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.train.Listener;
import dev.jformer.train.Task;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;

/**
 * What a training came to.
 *
 * @param losses on held-out data, after equally many updates each
 * @param seconds of training and evaluating
 */
public record TrainingCurve(List<Double> losses, double seconds) {
  /**
   * Trains a model.
   *
   * @param others who else is told how it goes
   */
  public static TrainingCurve of(
      Module model,
      Task task,
      TrainingConfig training,
      DoubleConsumer progress,
      Listener... others) {
    List<Double> losses = new ArrayList<>();
    long start = System.nanoTime();
    try (Trainer trainer = new Trainer(model, task, training, null)) {
      trainer.addListener(
          new Listener() {
            @Override
            public void step(Step step) {
              progress.accept((double) step.step() / training.steps());
            }

            @Override
            public void evaluation(Evaluation evaluation) {
              losses.add(evaluation.value());
            }
          });
      List.of(others).forEach(trainer::addListener);
      trainer.run();
    }
    return new TrainingCurve(List.copyOf(losses), (System.nanoTime() - start) / 1e9);
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
