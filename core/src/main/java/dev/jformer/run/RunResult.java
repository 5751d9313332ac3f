package dev.jformer.run;

import dev.jformer.metrics.Metrics;
import java.nio.file.Path;
import java.util.Map;

/**
 * What came of a run.
 *
 * @param folder with the best model
 * @param job the kind of task
 * @param training how training went
 * @param test metrics of the best model and of simple other models on data that decided nothing, by
 *     name; empty if there is none or the run was interrupted
 */
public record RunResult(
    Path folder, String job, TrainingOutcome training, Map<String, Metrics> test) {
  /** Whether the run was asked to stop before its end. */
  public boolean isInterrupted() {
    return training.ending() == TrainingOutcome.Ending.INTERRUPTED;
  }
}
