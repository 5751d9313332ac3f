package dev.jformer.mixer.reduction;

import dev.jformer.tensor.Tensor;

/** A token mixer after which tokens may leave, or be merged, before channels are mixed. */
public interface TokenReducingMixer {
  /**
   * Mixes tokens and chooses which of them stay.
   *
   * @param x [B, T, D], the mixer's input
   * @param tokens the tokens before this block
   */
  ReducedTokens reduce(Tensor x, TokenBatch tokens);
}
