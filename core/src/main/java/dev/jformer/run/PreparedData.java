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

/** Data of a {@link Job}, ready to be learned from by any number of models, one after the other. */
public interface PreparedData extends AutoCloseable {
  /** Evaluates on as much of the held-out data as the job usually does. */
  long USUAL = -1;

  /** The job that these are data of. */
  Job job();

  /** A configuration with the sizes that the data asks for: vocabulary, classes or columns. */
  Model.Config fit(Model.Config config);

  /**
   * A model with freshly drawn weights.
   *
   * @param config one that {@link #fit} returned
   * @param recipe how the data is divided
   */
  default Model build(Model.Config config, Recipe recipe) {
    return config.build();
  }

  /**
   * What is trained: the model on this data.
   *
   * @param model one that {@link #build} returned, with any weights
   * @param recipe with settings such as the size of batches
   * @param evaluationBatches the most batches of held-out data that an evaluation looks at, or
   *     {@link #USUAL}; data that is small is always looked at as a whole
   */
  Task task(Model model, Recipe recipe, long evaluationBatches);

  /** Identifies what there is to learn from: other data has another. */
  String fingerprint();

  /** How much there is to learn from. */
  DataSummary summary(Task task);

  /**
   * What a model makes of something as it is now, to watch it learn; null for nothing.
   *
   * @param prompt a text to go on with; null for none
   */
  default String sample(Model model, String prompt) {
    return null;
  }

  /** Checks that a model can be sampled from with a prompt, before it is trained. */
  default void checkPrompt(Model model, String prompt) {}

  /** Saves a model, with what else it needs to be used. */
  default void save(Model model, Path folder) throws IOException {
    Models.save(model, folder);
  }

  /**
   * Measures the best model of a run on data that decided nothing, beside simple other models.
   *
   * @param folder with the best model
   * @return metrics by the names of models; empty if there is no such data
   */
  default Map<String, Metrics> test(Path folder) throws IOException {
    return Map.of();
  }

  /** Operations of matrix products of a forward pass for one unit of the task, without its loss. */
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
