package dev.jformer.studies.trial;

import dev.jformer.nn.Module;
import dev.jformer.train.Listener;
import dev.jformer.train.Task;
import dev.jformer.train.Trainer;
import dev.jformer.train.Training;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;

/**
 * What a training came to.
 *
 * @param losses on held-out data, after equally many updates each
 * @param seconds of training and evaluating
 */
public record Course(List<Double> losses, double seconds) {
  /** Trains a model. */
  public static Course of(Module model, Task task, Training training, DoubleConsumer progress) {
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
              losses.add(evaluation.loss());
            }
          });
      trainer.run();
    }
    return new Course(List.copyOf(losses), (System.nanoTime() - start) / 1e9);
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
