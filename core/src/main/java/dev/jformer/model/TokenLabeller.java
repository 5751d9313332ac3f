package dev.jformer.model;

import dev.jformer.tensor.Tensor;

/** A model that gives each token of a sequence a label. */
public interface TokenLabeller {
  /**
   * Computes the logits of the labels of each token.
   *
   * @param ids int64 [B, T]
   * @param paddingMask bool [B, T], false where a token is padding that no other may see; null if
   *     there is none
   * @return logits [B, T, labels]
   * @throws IllegalArgumentException if a sequence is longer than the model can take
   */
  Tensor logits(Tensor ids, Tensor paddingMask);
}
