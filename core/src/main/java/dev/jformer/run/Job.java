package dev.jformer.run;

import dev.jformer.config.Part;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A kind of task, from data to use: it makes data ready, builds the model that fits it, says what
 * is trained and measured, and uses what was trained. Language modelling, translation and
 * forecasting are jobs. A job is a part like any other: a class with
 * {@code @AutoService(Job.class)} adds one.
 */
public interface Job extends Part {
  /** The kind of data that it learns from. */
  Class<? extends DataConfig> data();

  /** The kind of models that it trains. */
  Class<? extends Model.Config> model();

  /** Whether it trains such a model on such data. */
  default boolean trains(DataConfig data, Model.Config model) {
    return data().isInstance(data) && model().isInstance(model);
  }

  /**
   * Makes a recipe's data ready, for one training or for many.
   *
   * @param workspace where; closed with the data
   */
  PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException;

  /** Whether a trained model with this configuration does this task. */
  boolean uses(Model.Config trained);

  /**
   * A trained model, ready for use.
   *
   * @param folder with what belongs to it, such as the tokenizer
   * @param model one that this job {@linkplain #uses uses}; put into inference mode
   */
  TrainedModel use(Path folder, Model model);
}
