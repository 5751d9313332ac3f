package dev.jformer.run;

import dev.jformer.adapt.NoAdapter;
import dev.jformer.compress.Fold;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.Models;
import dev.jformer.hub.SideFiles;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The start of a training: random weights, or those of a trained model. */
final class PretrainedStart implements AutoCloseable {
  private final Recipe recipe;
  private final Model model;
  private boolean taken;

  private PretrainedStart(Recipe recipe, Model model) {
    this.recipe = recipe;
    this.model = model;
  }

  static PretrainedStart of(Recipe recipe) throws IOException {
    if (recipe.from().isEmpty()) {
      return new PretrainedStart(recipe, null);
    }
    Model model = Models.load(Path.of(recipe.from()));
    return new PretrainedStart(
        recipe, recipe.adapter() instanceof NoAdapter ? trainable(model) : model);
  }

  /** The model with weights of floats, if it has few bits that fold into them. */
  private static Model trainable(Model model) {
    Projection projection = ModelRebuilder.projection(model);
    boolean folds = projection != null && !projection.trains() && projection.folded().trains();
    if (!folds) {
      return model;
    }
    try (model) {
      return Fold.fold(model);
    }
  }

  /**
   * The configuration to build: that of the trained model, or else that of the recipe, which may
   * begin with the weights of another family.
   *
   * @throws RunException if the trained model is of a family that it cannot begin with
   */
  <C extends Model.Config> C config(Class<C> kind) {
    Model.Config config = model == null ? recipe.model() : model.config();
    if (!kind.isInstance(config)) {
      config = beginning(config);
    }
    if (!kind.isInstance(config)) {
      throw new RunException(
          recipe.from()
              + " holds "
              + config.noun()
              + ": it cannot be trained on "
              + recipe.data().type()
              + (kind.isInstance(recipe.model())
                  ? ", which takes a " + recipe.model().type()
                  : ""));
    }
    return kind.cast(config);
  }

  private Model.Config beginning(Model.Config trained) {
    try {
      return recipe.model().beginningWith(trained).map(c -> (Model.Config) c).orElse(trained);
    } catch (IllegalArgumentException e) {
      throw new RunException(recipe.from() + ": " + e.getMessage());
    }
  }

  /**
   * Copies the tokenizer of the trained model, or else of the teacher, and what ends its texts,
   * into a run's folder.
   */
  static void copyTokenizer(Recipe recipe, Path folder) throws IOException {
    if (!recipe.relative().isEmpty()) {
      Path other = Path.of(recipe.relative());
      Files.createDirectories(folder);
      Tokenizer tokenizer = Tokenizers.load(other);
      tokenizer.save(folder);
      SideFiles.copyGeneration(other, folder);
    }
  }

  /**
   * Checks that the trained model is of the family that is built, as an adapter's is.
   *
   * @throws RunException if it is of another one
   */
  void requireFamilyOf(Model.Config config) {
    if (!model.config().type().equals(config.type())) {
      throw new RunException(
          recipe.from()
              + " holds "
              + model.config().noun()
              + ", and "
              + config.noun()
              + " is to be trained: an adapter stands beside a model of the same family; set"
              + " adapter to none");
    }
  }

  /** Whether there is a trained model with a parameter of this name and shape. */
  boolean has(String name, Parameter parameter) {
    Parameter own = model == null ? null : model.parameters().get(name);
    return own != null && parameter.accepts(own.value().shape());
  }

  /** The trained model itself, which is then the caller's to close, if it has a configuration. */
  Optional<Model> take(Model.Config config) {
    if (model == null || taken || !model.config().equals(config)) {
      return Optional.empty();
    }
    taken = true;
    return Optional.of(model);
  }

  /** Copies the weights of the trained model that a new model shares. */
  void copyTo(Model made) {
    if (model != null) {
      made.copyFrom(model);
    }
  }

  @Override
  public void close() {
    if (model != null && !taken) {
      model.close();
    }
  }
}
