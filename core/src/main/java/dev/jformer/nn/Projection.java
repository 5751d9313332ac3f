package dev.jformer.nn;

import dev.jformer.config.Part;

/**
 * The kind of linear maps inside a model's blocks: plain matrices, reparametrised or quantized
 * ones, or other layers in their place.
 */
public interface Projection extends Part {
  /**
   * Builds a map from [..., in] to [..., out].
   *
   * @param bias whether a bias is added
   * @param initializer makes a plain weight [out, in]
   */
  Layer build(long in, long out, boolean bias, Initializer initializer);

  /**
   * Builds a model's token embedding, with which its output layer may be tied. It is a plain one
   * unless maps of this kind store their weights in another form.
   *
   * @param count number of tokens in the vocabulary
   * @param width D
   */
  default TokenEmbedding table(long count, long width, Initializer initializer) {
    return new Embedding(count, width, initializer);
  }

  /**
   * Builds an output layer over the vocabulary that is not tied to the token embedding: [..., in]
   * to [..., out], without bias. It is a plain one unless maps of this kind store their weights in
   * another form.
   */
  default Layer output(long in, long out, Initializer initializer) {
    return new Linear(in, out, false, initializer);
  }

  /** Whether its layers can be trained; if not, they replace trained ones. */
  default boolean trains() {
    return true;
  }

  /** The projection of the layers that this one's layers {@linkplain Foldable fold} into. */
  default Projection folded() {
    return this;
  }
}
