package dev.jformer.nn;

/** A module that, once trained, is the same function as a plainer one. */
public interface Foldable {
  /**
   * The plainer module, with weights of its own. In inference it gives what this one gives, up to
   * rounding.
   */
  Module folded();
}
