package dev.jformer.nn;

/** A layer that gives each id a vector: int64 ids [...] to [..., D]. */
public abstract class TokenEmbedding extends Layer {
  /** A layer that scores ids by the same vectors, sharing them: [..., D] to [..., count]. */
  public abstract Layer output();
}
