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

  /**
   * The table of vectors of a model's words, with which its output layer may be tied: a plain one,
   * unless linear maps of this kind keep their weights in another form.
   *
   * @param count number of words
   * @param width D
   */
  default TokenEmbedding table(long count, long width, Initializer initializer) {
    return new Embedding(count, width, initializer);
  }

  /**
   * An output layer over a model's words that is not tied to their table: [..., in] to [..., out],
   * without bias. Plain, unless linear maps of this kind keep their weights in another form.
   */
  default Layer output(long in, long out, Initializer initializer) {
    return new Linear(in, out, false, initializer);
  }

  /** Whether its layers can be trained; others take the place of trained ones. */
  default boolean trains() {
    return true;
  }

  /** What makes layers like those that this one's layers {@linkplain Foldable fold} into. */
  default Projection folded() {
    return this;
  }
}
