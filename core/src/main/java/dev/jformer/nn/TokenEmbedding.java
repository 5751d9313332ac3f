package dev.jformer.nn;

/** A token embedding, a layer that maps each id to a vector: int64 ids [...] to [..., D]. */
public abstract class TokenEmbedding extends Layer {
  /** An output layer that shares the vectors (tied weights): [..., D] to [..., count]. */
  public abstract Layer output();
}
