package dev.jformer.mixer;

import dev.jformer.config.Part;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Module;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/** Lets the tokens of a sequence exchange information: [B, T, D] to [B, T, D]. */
public abstract class TokenMixer extends Module {
  /** Configuration of a token mixer. */
  public interface Config extends Part {
    /**
     * The mixer for one block.
     *
     * @param position the model's position encoding, shared by all blocks
     * @throws IllegalArgumentException if the mixer cannot stand there, for example because it
     *     cannot be causal
     */
    TokenMixer build(BlockContext site, Position position);

    /** Number of heads, for the position encodings that need it. */
    default int heads() {
      return 1;
    }
  }

  /**
   * Mixes whole sequences.
   *
   * @param x [B, T, D]
   * @param paddingMask bool [B, T], false where a token is padding that no other may see; null if
   *     there is none
   * @return [B, T, D]
   */
  public abstract Tensor forward(Tensor x, Tensor paddingMask);

  /**
   * The matrix of weights by which each token takes from each other one, for analysis: holding it
   * costs T² memory.
   *
   * @param x [B, T, D]
   * @param paddingMask as in {@link #forward}
   * @return [B, H, T, T], row t for what token t takes
   * @throws UnsupportedOperationException if this mixer has no such matrix
   */
  public Tensor weights(Tensor x, Tensor paddingMask) {
    throw new UnsupportedOperationException(
        getClass().getSimpleName() + " has no matrix of weights between tokens");
  }

  /**
   * The logits whose softmax {@link #weights} is, also of pairs of tokens that may not meet, for
   * analysis: holding them costs T² memory.
   *
   * @param x [B, T, D]
   * @return [B, H, T, T]
   * @throws UnsupportedOperationException if this mixer's weights are no softmax
   */
  public Tensor logits(Tensor x) {
    throw new UnsupportedOperationException(
        getClass().getSimpleName() + " has no logits: its weights are no softmax");
  }

  /**
   * What decoding must remember of the tokens seen so far; empty at first.
   *
   * @param batch B
   * @param capacity the most tokens that will be seen
   * @throws UnsupportedOperationException if this mixer cannot continue a sequence
   */
  public State start(long batch, long capacity) {
    throw new UnsupportedOperationException(
        getClass().getSimpleName() + " cannot decode step by step");
  }

  /**
   * Mixes the tokens that follow those in {@code state}, and adds them to it. Equal to what {@link
   * #forward} gives for these positions of the whole sequence.
   *
   * @param x [B, T, D], usually T = 1
   * @return [B, T, D]
   */
  public Tensor step(Tensor x, State state) {
    throw new UnsupportedOperationException(
        getClass().getSimpleName() + " cannot decode step by step");
  }

  /** Memory of a sequence being decoded; its tensors outlive scopes until it is closed. */
  public interface State extends AutoCloseable {
    /** Number of tokens seen. */
    long length();

    /** Forgets all tokens after the first {@code length}, where the mixer allows it. */
    default void truncate(long length) {
      throw new UnsupportedOperationException(getClass().getSimpleName() + " cannot go back");
    }

    /**
     * Puts other sequences in the places of these, where the mixer allows it: the sequence in place
     * i is then what that in place {@code rows[i]} was.
     *
     * @param rows int64 [n], places from 0 to B - 1, any number of times; there are n sequences
     *     then
     */
    default void select(Tensor rows) {
      throw new UnsupportedOperationException(
          getClass().getSimpleName() + " cannot exchange sequences");
    }

    /** Bytes of memory held. */
    long bytes();

    @Override
    void close();
  }
}
