package dev.jformer.model;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.Module;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.TokenSubset;
import dev.jformer.tensor.Tensor;

/**
 * A block of a {@link TransformerStack}: a {@link Block} or a {@link DecoderBlock}. It cannot be
 * extended outside this package; techniques replace the parts of blocks.
 */
public abstract class ResidualBlock extends Module {
  ResidualBlock() {}

  /**
   * Transforms whole sequences without reducing tokens.
   *
   * @param x [B, T, D]
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   * @param source the encoder's output for a decoder; null otherwise
   */
  abstract Tensor forward(Tensor x, Tensor paddingMask, EncodedSource source);

  /** The result of {@link #forward} without padding for some of the tokens: [B, t, D]. */
  Tensor forwardAt(Tensor x, TokenSubset tokens) {
    return tokens.of(forward(x, null, null), 1);
  }

  /** Creates the state of decoding; see {@link TokenMixer#start}. */
  abstract TokenMixer.State start(long batch, long capacity, EncodedSource source);

  /**
   * Transforms the next tokens of sequences: x [B, T, D] and the state that {@link #start}
   * returned.
   */
  abstract Tensor step(Tensor x, TokenMixer.State state);

  /**
   * What {@link #step} computes of one token of each sequence, as plain floats; null, unless
   * overridden, if there is no faster way than that.
   */
  RowFunction rowFunction(TokenMixer.State state) {
    return null;
  }

  /**
   * Replaces the sequences of a state by a selection of them.
   *
   * @param rows see {@link TokenMixer.State#select}
   * @param sources int64, the sources that are still needed; null for all
   */
  void select(TokenMixer.State state, Tensor rows, Tensor sources) {
    state.select(rows);
  }
}
