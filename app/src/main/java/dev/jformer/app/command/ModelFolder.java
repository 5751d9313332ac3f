package dev.jformer.app.command;

import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Path;

/** Loads models that must be of a certain family. */
final class ModelFolder {
  private ModelFolder() {}

  /**
   * A model in inference mode.
   *
   * @param words what models of the family are called
   * @throws CommandException if the model in the folder is of another family
   */
  static <M extends Model> M load(Path folder, Class<M> family, String words) throws IOException {
    return check(folder, Models.load(folder), family, words);
  }

  /** The same model in inference mode; it is closed if it is of another family. */
  static <M extends Model> M check(Path folder, Model model, Class<M> family, String words) {
    if (!family.isInstance(model)) {
      String found = model.config().noun();
      model.close();
      throw new CommandException(folder + " holds " + found + ", which is no " + words);
    }
    model.train(false);
    return family.cast(model);
  }
}
