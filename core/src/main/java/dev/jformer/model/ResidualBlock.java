package dev.jformer.model;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Tensor;

/**
 * A block of a {@link TransformerStack}: a {@link Block} or a {@link DecoderBlock}. It cannot be
 * extended elsewhere; techniques change the parts of blocks.
 */
public abstract class ResidualBlock extends Module {
  ResidualBlock() {}

  /**
   * Whole sequences, all of whose tokens stay.
   *
   * @param x [B, T, D]
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   * @param source what a decoder reads; null elsewhere
   */
  abstract Tensor forward(Tensor x, Tensor paddingMask, EncodedSource source);

  /** The memory of decoding; see {@link TokenMixer#start}. */
  abstract TokenMixer.State start(long batch, long capacity, EncodedSource source);

  /** The next tokens of sequences: x [B, T, D] and the state that {@link #start} gave. */
  abstract Tensor step(Tensor x, TokenMixer.State state);

  /**
   * Puts other sequences in the places of these.
   *
   * @param rows see {@link TokenMixer.State#select}
   * @param sources int64, the sources that are still needed; null for all
   */
  void select(TokenMixer.State state, Tensor rows, Tensor sources) {
    state.select(rows);
  }
}
