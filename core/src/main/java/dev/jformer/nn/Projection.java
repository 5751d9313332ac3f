package dev.jformer.nn;

import dev.jformer.config.Part;

/**
 * How the linear maps inside a model's blocks are made: plain matrices, reparametrised ones, or
 * something else that takes their place.
 */
public interface Projection extends Part {
  /**
   * A map from [..., in] to [..., out].
   *
   * @param bias whether a vector is added
   * @param initializer makes a plain weight [out, in]
   */
  Layer build(long in, long out, boolean bias, Initializer initializer);

  /** What makes layers like those that this one's layers {@linkplain Foldable fold} into. */
  default Projection folded() {
    return this;
  }
}
