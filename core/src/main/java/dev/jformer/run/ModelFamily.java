package dev.jformer.run;

import dev.jformer.model.Model;
import java.nio.file.Path;

/** Checks that a folder holds a model of an expected family. */
final class ModelFamily {
  private ModelFamily() {}

  /**
   * Casts a model to its family.
   *
   * @param wanted the family in words, for the message
   * @throws RunException if it is of another family
   */
  static <M extends Model> M require(Path folder, Model model, Class<M> family, String wanted) {
    if (!family.isInstance(model)) {
      throw new RunException(folder + " holds " + model.config().noun() + ": expected " + wanted);
    }
    return family.cast(model);
  }
}
