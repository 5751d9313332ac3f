package dev.jformer.model;

import dev.jformer.tensor.Tensor;

/**
 * What an encoder made of sequences, for a decoder to read.
 *
 * @param hidden [B, S, D]
 * @param paddingMask bool [B, S], false where a token is padding; null if there is none
 * @param beams K, number of sequences that are written for each source; they follow one another
 */
record EncodedSource(Tensor hidden, Tensor paddingMask, long beams) {
  /** For one sequence a source. */
  EncodedSource(Tensor hidden, Tensor paddingMask) {
    this(hidden, paddingMask, 1);
  }
}
