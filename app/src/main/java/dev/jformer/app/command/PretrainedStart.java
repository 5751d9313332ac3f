package dev.jformer.app.command;

import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.run.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a run begins with: nothing, or a model that was trained before. */
final class PretrainedStart implements AutoCloseable {
  private final Recipe recipe;
  private final Model model;

  private PretrainedStart(Recipe recipe, Model model) {
    this.recipe = recipe;
    this.model = model;
  }

  static PretrainedStart of(Recipe recipe) throws IOException {
    if (recipe.from().isEmpty()) {
      return new PretrainedStart(recipe, null);
    }
    return new PretrainedStart(recipe, Models.load(Path.of(recipe.from())));
  }

  /**
   * The configuration to build: that of the model before, or else the recipe's.
   *
   * @throws CommandException if the model before is of another family
   */
  <C extends Model.Config> C config(Class<C> kind) {
    Model.Config config = model == null ? recipe.model() : model.config();
    if (!kind.isInstance(config)) {
      throw new CommandException(
          recipe.from()
              + " holds a "
              + config.type()
              + ": it cannot be trained on "
              + recipe.data().type()
              + (kind.isInstance(recipe.model())
                  ? ", which takes a " + recipe.model().type()
                  : ""));
    }
    return kind.cast(config);
  }

  /** Puts the tokenizer of the model before into a run's folder. */
  void tokenizer(Path folder) throws IOException {
    if (model != null) {
      Files.createDirectories(folder);
      Tokenizers.load(Path.of(recipe.from())).save(folder);
    }
  }

  /** Gives a new model the weights that it shares with the model before. */
  <M extends Model> M begin(M made) {
    if (model != null) {
      made.copyFrom(model);
    }
    return made;
  }

  @Override
  public void close() {
    if (model != null) {
      model.close();
    }
  }
}
