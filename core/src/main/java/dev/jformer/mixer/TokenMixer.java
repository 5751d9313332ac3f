package dev.jformer.mixer;

import dev.jformer.config.Checks;
import dev.jformer.config.Part;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Module;
import dev.jformer.nn.Packing;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.TokenSubset;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;
import java.util.Set;

/**
 * A token mixer, the part of a block in which tokens exchange information: [B, T, D] to [B, T, D].
 */
public abstract class TokenMixer extends Module {
  /** Configuration of a token mixer. */
  public interface Config extends Part {
    /**
     * Builds the mixer for one block.
     *
     * @param position the model's position encoding, shared by all blocks
     * @throws IllegalArgumentException if the mixer does not suit the block, for example because it
     *     cannot be causal
     */
    TokenMixer build(BlockContext context, Position position);

    /** Number of heads, for the position encodings that need it. */
    default int heads() {
      return 1;
    }

    /**
     * The width of one head in a model of a width, for the position encodings that need it.
     *
     * @throws IllegalArgumentException if the heads do not fit the width
     */
    default int headDim(int width) {
      Checks.check(width % heads() == 0, "heads", heads(), "a divisor of the width " + width);
      return width / heads();
    }

    /**
     * This mixer with heads of a number and a width that a model sets, whatever its own width is;
     * unchanged, unless overridden, for mixers that cannot have such.
     */
    default Config ofHeads(int heads, int headDim) {
      return this;
    }
  }

  /**
   * What the result of a token may depend on besides the contents of the tokens that it sees. For
   * most mixers there is nothing: no result depends on later tokens in causal models, on padding,
   * or on the other sequences of a batch.
   */
  public enum Dependence {
    /**
     * Causal mixers only: later tokens decide which of the earlier ones a token sees. They have no
     * weight themselves.
     */
    LATER_TOKENS,
    /**
     * The length of the batch, padding included, decides how tokens are grouped or what is drawn,
     * so a padded sequence does not give what it gives alone. What stands in the padding has no
     * influence.
     */
    PADDED_LENGTH
  }

  /**
   * What a token's result depends on besides the tokens that it sees; nothing unless overridden.
   */
  public Set<Dependence> dependences() {
    return Set.of();
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
   * Mixes whole sequences without padding for some of their tokens: the result of {@link #forward}
   * for these. Mixers override it that can do with less work.
   *
   * @param x [B, T, D]
   * @param tokens those that are wanted
   * @return [B, t, D]
   */
  public Tensor forwardAt(Tensor x, TokenSubset tokens) {
    return tokens.of(forward(x, null), 1);
  }

  /**
   * Mixes rows that hold several sequences, each of which gives what it gives alone.
   *
   * @param x [B, T, D]
   * @param packing the sequences of each row
   * @return [B, T, D]
   */
  public Tensor forwardPacked(Tensor x, Packing packing) {
    return packing.map(x, 1, sequence -> forward(sequence, null));
  }

  /**
   * Computes the attention weights between tokens, for analysis; they take T² memory.
   *
   * @param x [B, T, D]
   * @param paddingMask as in {@link #forward}
   * @return [B, H, T, T]; row t holds the weights of all tokens for token t
   * @throws UnsupportedOperationException if this mixer has no such matrix
   */
  public Tensor weights(Tensor x, Tensor paddingMask) {
    throw new UnsupportedOperationException(
        getClass().getSimpleName() + " has no matrix of weights between tokens");
  }

  /**
   * Computes the logits whose softmax are the {@link #weights}, also for masked pairs of tokens,
   * for analysis; they take T² memory.
   *
   * @param x [B, T, D]
   * @return [B, H, T, T]
   * @throws UnsupportedOperationException if this mixer's weights are not a softmax
   */
  public Tensor logits(Tensor x) {
    throw new UnsupportedOperationException(
        getClass().getSimpleName() + " has no logits: its weights are not a softmax");
  }

  /**
   * Creates an empty decoding state, which stores what is needed of the tokens seen so far.
   *
   * @param batch B
   * @param capacity the most tokens of a sequence
   * @throws UnsupportedOperationException if this mixer cannot decode step by step
   */
  public State start(long batch, long capacity) {
    throw new UnsupportedOperationException(
        getClass().getSimpleName() + " cannot decode step by step");
  }

  /**
   * Mixes the tokens that follow those in {@code state}, and adds them to it. The result equals
   * that of {@link #forward} for these positions of the whole sequence.
   *
   * @param x [B, T, D], usually T = 1
   * @return [B, T, D]
   */
  public Tensor step(Tensor x, State state) {
    throw new UnsupportedOperationException(
        getClass().getSimpleName() + " cannot decode step by step");
  }

  /**
   * What {@link #step} computes of one token of each sequence in inference, as plain floats, up to
   * rounding; each call adds the tokens to the state. Null, unless overridden, if there is no
   * faster way than that.
   *
   * @param state one that {@link #start} made
   */
  public RowFunction rowFunction(State state) {
    return null;
  }

  /** The decoding state of a batch of sequences; its tensors outlive scopes until it is closed. */
  public interface State extends AutoCloseable {
    /** Number of tokens seen. */
    long length();

    /**
     * Drops all tokens after the first {@code length}. Every mixer of this library can drop all of
     * them (0); those that remember sums or the last tokens only cannot drop some.
     *
     * @throws UnsupportedOperationException if the state does not remember enough
     */
    default void truncate(long length) {
      throw new UnsupportedOperationException(getClass().getSimpleName() + " cannot drop tokens");
    }

    /**
     * Reorders the sequences: sequence i becomes what sequence {@code rows[i]} was. Every mixer of
     * this library supports it.
     *
     * @param rows int64 [n], indices from 0 to B - 1, which may repeat; n becomes the batch size
     */
    default void select(Tensor rows) {
      throw new UnsupportedOperationException(
          getClass().getSimpleName() + " cannot reorder sequences");
    }

    /** Bytes of memory held. */
    long bytes();

    @Override
    void close();
  }
}
