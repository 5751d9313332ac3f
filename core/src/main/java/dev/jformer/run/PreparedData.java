package dev.jformer.run;

import dev.jformer.hub.Models;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * The prepared data of a {@link Job}, on which any number of models can be trained, one after the
 * other.
 */
public interface PreparedData extends AutoCloseable {
  /** The number of evaluation batches that stands for the job's default. */
  long USUAL = -1;

  /** The job of the data. */
  Job job();

  /** Fits a model's configuration to the data: its vocabulary, classes or columns. */
  Model.Config fit(Model.Config config);

  /**
   * Builds a model with random weights.
   *
   * @param config a configuration that {@link #fit} returned
   * @param recipe the recipe, which says how the data is split
   */
  default Model build(Model.Config config, Recipe recipe) {
    return config.build();
  }

  /**
   * Creates the task of training a model on this data.
   *
   * @param model a model that {@link #build} returned, with any weights
   * @param recipe the recipe, with settings such as the batch size
   * @param evaluationBatches the most batches of held-out data in an evaluation, or {@link #USUAL};
   *     small data is always evaluated as a whole
   */
  Task task(Model model, Recipe recipe, long evaluationBatches);

  /**
   * The names of weights that stand for the data's classes, such as their embeddings, and are
   * trained whole beside an adapter.
   */
  default Set<String> ownWeights() {
    return Set.of();
  }

  /**
   * Checks that a teacher predicts the classes or tokens of this data in the same order.
   *
   * @param folder the teacher's folder
   * @param teacher a model of the job's family
   * @return the number of classes or tokens that both have, the first of each; 0 if their numbers
   *     must be equal
   * @throws RunException if it does not
   */
  default int checkTeacher(Path folder, Model teacher) {
    return 0;
  }

  /** A fingerprint of the data, to detect that it has changed. */
  String fingerprint();

  /** Summarises the amount of data. */
  DataSummary summary(Task task);

  /**
   * Samples an output of the model, to show the progress of training; null if the job has none.
   *
   * @param prompt a text to continue; null for none
   */
  default String sample(Model model, String prompt) {
    return null;
  }

  /**
   * Draws a picture of what the model makes, to show the progress of training: the content of a PNG
   * file; null if the job has none.
   */
  default byte[] picture(Model model) {
    return null;
  }

  /** Checks, before training, that a model can be sampled from with a prompt. */
  default void checkPrompt(Model model, String prompt) {}

  /** Saves the files that the use of a trained model needs, such as its tokenizer. */
  default void saveCompanions(Path folder) throws IOException {}

  /** Saves a model with the files that its use needs. */
  default void save(Model model, Path folder) throws IOException {
    saveCompanions(folder);
    Models.save(model, folder);
  }

  /**
   * Measures the best model of a run, and simple baselines, on test data.
   *
   * @param folder the folder of the best model
   * @return metrics by the names of models; empty if there is no test data
   */
  default Map<String, Metrics> test(Path folder) throws IOException {
    return Map.of();
  }

  /**
   * Counts the operations of matrix products in a forward pass per unit of the task, without its
   * loss.
   */
  default double forwardFlops(Model model, Task task) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor random = Random.state();
      double flops = Flops.of(() -> task.loss(0)) / task.unitsPerBatch();
      Random.restore(random);
      return flops;
    }
  }

  /** Releases the data. */
  @Override
  void close();
}
