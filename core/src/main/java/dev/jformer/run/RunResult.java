package dev.jformer.run;

import dev.jformer.metrics.Metrics;
import java.nio.file.Path;
import java.util.Map;

/**
 * The result of a run.
 *
 * @param folder the folder with the best model
 * @param job the kind of task
 * @param training the outcome of training
 * @param test metrics of the best model and of simple baselines on test data, by name; empty if
 *     there is none or the run was interrupted
 */
public record RunResult(
    Path folder, String job, TrainingOutcome training, Map<String, Metrics> test) {
  /** Whether the run was stopped before its end. */
  public boolean isInterrupted() {
    return training.ending() == TrainingOutcome.Ending.INTERRUPTED;
  }
}
