package dev.jformer.model;

import dev.jformer.tensor.Tensor;

/**
 * The output of an encoder, which a decoder attends to.
 *
 * @param hidden [B, S, D]
 * @param paddingMask bool [B, S], false where a token is padding; null if there is none
 * @param beams K, number of consecutive sequences that are generated for each source
 */
record EncodedSource(Tensor hidden, Tensor paddingMask, long beams) {
  /** Creates a source with one sequence for each. */
  EncodedSource(Tensor hidden, Tensor paddingMask) {
    this(hidden, paddingMask, 1);
  }
}
