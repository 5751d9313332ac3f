package dev.jformer.studies.compare;

import dev.jformer.run.Recipe;

/**
 * A recipe with something changed.
 *
 * @param name as reports show it
 * @param recipe all of it
 */
public record Variant(String name, Recipe recipe) {
  /** The name of the recipe that nothing is changed in. */
  public static final String BASE = "base";
}
