package dev.jformer.run;

import dev.jformer.model.Model;
import java.nio.file.Path;

/** Checks that a folder holds a model of the kind that was asked for. */
final class ModelFamily {
  private ModelFamily() {}

  /**
   * The model as one of its family.
   *
   * @param wanted in words, for the message
   * @throws RunException if it is of another family
   */
  static <M extends Model> M require(Path folder, Model model, Class<M> family, String wanted) {
    if (!family.isInstance(model)) {
      throw new RunException(folder + " holds a " + model.config().type() + ": expected " + wanted);
    }
    return family.cast(model);
  }
}
