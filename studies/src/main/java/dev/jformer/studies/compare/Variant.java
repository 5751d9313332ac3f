package dev.jformer.studies.compare;

import dev.jformer.compress.Compression;
import dev.jformer.run.Recipe;
import java.util.List;

/**
 * A variant of the base recipe: a changed recipe, and compressions of the model that it trains.
 *
 * @param name in reports
 * @param recipe of the training
 * @param training name of the variant without its compressions; variants with the same one share a
 *     training
 * @param compressions applied to the trained model in this order
 */
public record Variant(String name, Recipe recipe, String training, List<Compression> compressions) {
  /** The name of the unchanged recipe. */
  public static final String BASE = "base";

  /** Creates a variant without compressions. */
  public Variant(String name, Recipe recipe) {
    this(name, recipe, name, List.of());
  }

  /** Whether the trained model is compressed. */
  public boolean isCompressed() {
    return !compressions.isEmpty();
  }

  /** Returns this variant without its compressions. */
  Variant trained() {
    return new Variant(training, recipe);
  }
}
