package dev.jformer.mixer.reduction;

import dev.jformer.tensor.Tensor;

/** A token mixer after which tokens may leave, or be merged, before channels are mixed. */
public interface TokenReducingMixer {
  /**
   * Mixes tokens and says which of them go on.
   *
   * @param x [B, T, D], what the mixer is given
   * @param tokens as they are before this block
   */
  ReducedTokens reduce(Tensor x, TokenBatch tokens);
}
