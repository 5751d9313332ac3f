package dev.jformer.nn;

/**
 * A module that, once trained, can be folded into a simpler one that computes the same function.
 */
public interface Foldable {
  /**
   * Creates the simpler module, with weights of its own. In inference both compute the same, up to
   * rounding.
   */
  Module folded();
}
