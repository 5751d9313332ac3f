package dev.jformer.studies.compare;

import dev.jformer.compress.Compression;
import dev.jformer.run.Recipe;
import java.util.List;

/**
 * A recipe with techniques: changes of the recipe, and compressions of the model that it trains.
 *
 * @param name as reports show it
 * @param recipe what is trained
 * @param training the name of the variant without its compressions: variants that train the same
 *     share one training
 * @param compressions what is done to the trained model, one after the other
 */
public record Variant(String name, Recipe recipe, String training, List<Compression> compressions) {
  /** The name of the recipe that nothing is changed in. */
  public static final String BASE = "base";

  /** A recipe whose model is used as it was trained. */
  public Variant(String name, Recipe recipe) {
    this(name, recipe, name, List.of());
  }

  /** Whether the trained model is compressed. */
  public boolean isCompressed() {
    return !compressions.isEmpty();
  }

  /** This variant without its compressions. */
  Variant trained() {
    return new Variant(training, recipe);
  }
}
