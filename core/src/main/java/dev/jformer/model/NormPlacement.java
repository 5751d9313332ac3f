package dev.jformer.model;

/** Where a block normalises. */
public enum NormPlacement {
  /** {@code x + f(norm(x))}, with one more norm after the last block; trains without much care. */
  PRE,
  /** {@code norm(x + f(x))}, as in the first Transformer and BERT. */
  POST
}
