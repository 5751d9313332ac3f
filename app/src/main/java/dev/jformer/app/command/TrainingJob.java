package dev.jformer.app.command;

import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.train.Task;
import java.io.IOException;

/** What a run trains, for one kind of data: the data made ready, and the model that fits it. */
interface TrainingJob extends AutoCloseable {
  /** The model in training. */
  Model model();

  /** The model with its data and its loss. */
  Task task();

  /** What is trained on what, in a line or two. */
  String description();

  /** Metrics of held-out data in words, with their units. */
  String describe(Metrics metrics);

  /** Saves the model, and what it needs to be used, in the run's folder. */
  void save() throws IOException;

  /** What the model makes of something as it is now, to watch it learn; null for nothing. */
  String sample();

  /**
   * After the last update.
   *
   * @return a command that uses the model
   */
  String finish() throws IOException;

  /** Releases the model and the data. */
  @Override
  void close();
}
