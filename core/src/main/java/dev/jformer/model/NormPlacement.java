package dev.jformer.model;

/** The placement of the normalisation in a block. */
public enum NormPlacement {
  /** {@code x + f(norm(x))}, with one more norm after the last block; trains stably. */
  PRE,
  /** {@code norm(x + f(x))}, as in the first Transformer and BERT. */
  POST,
  /**
   * {@code x + norm(f(norm(x)))} with two norms, and one more after the last block, as in Gemma 2.
   */
  SANDWICH,
  /**
   * {@code x + f(norm(x)) + g(norm(x))}: both parts of a block read the block's input, each through
   * a norm of its own, as in GPT-NeoX; one more norm after the last block.
   */
  PARALLEL;

  /** Whether a norm stands before a part. */
  boolean isBefore() {
    return this != POST;
  }
}
