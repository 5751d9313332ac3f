package dev.jformer.model;

/** The placement of the normalisation in a block. */
public enum NormPlacement {
  /** {@code x + f(norm(x))}, with one more norm after the last block; trains stably. */
  PRE,
  /** {@code norm(x + f(x))}, as in the first Transformer and BERT. */
  POST
}
