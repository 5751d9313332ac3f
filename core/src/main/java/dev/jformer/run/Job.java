package dev.jformer.run;

import dev.jformer.config.Part;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A kind of task, such as language modelling, translation or forecasting. It prepares data, builds
 * the model, defines the training and the evaluation, and uses the trained model. A job is a part
 * like any other: a class with {@code @AutoService(Job.class)} adds one.
 */
public interface Job extends Part {
  /** The kind of data that it trains on. */
  Class<? extends DataConfig> data();

  /** The kind of models that it trains. */
  Class<? extends Model.Config> model();

  /** Whether it can train a model on data of these configurations. */
  default boolean trains(DataConfig data, Model.Config model) {
    return data().isInstance(data) && model().isInstance(model);
  }

  /**
   * Prepares a recipe's data, for one training or for many.
   *
   * @param workspace the folder for prepared files; closed with the data
   */
  PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException;

  /** Whether a trained model with this configuration does this task. */
  boolean uses(Model.Config trained);

  /** Whether a file in the folder of a trained model says that it was made by this job. */
  default boolean owns(Path folder) {
    return false;
  }

  /**
   * Prepares a trained model for use.
   *
   * @param folder the model's folder, with files such as the tokenizer
   * @param model a model that this job {@linkplain #uses uses}; it is put into inference mode
   */
  TrainedModel use(Path folder, Model model);
}
