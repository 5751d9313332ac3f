package dev.jformer.nn;

import dev.jformer.tensor.Tensor;

/**
 * The ids, padding and packing of the tokens that a model's blocks process, for parts that need
 * more than the tokens' vectors. A model opens a context around its blocks:
 *
 * <pre>{@code
 * try (SequenceContext tokens = SequenceContext.open(ids, paddingMask)) {
 *   for (Block block : blocks) {
 *     x = block.forward(x, paddingMask);
 *   }
 * }
 * }</pre>
 *
 * The innermost open context of the calling thread applies.
 */
public final class SequenceContext implements AutoCloseable {
  private static final ThreadLocal<SequenceContext> INNERMOST = new ThreadLocal<>();

  private final Tensor ids;
  private final Tensor paddingMask;
  private final Packing packing;
  private final SequenceContext outer;

  private SequenceContext(Tensor ids, Tensor paddingMask, Packing packing) {
    this.ids = ids;
    this.paddingMask = paddingMask;
    this.packing = packing;
    this.outer = INNERMOST.get();
    INNERMOST.set(this);
  }

  /**
   * Opens a context.
   *
   * @param ids int64 [B, T]; null if tokens are not words
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   */
  public static SequenceContext open(Tensor ids, Tensor paddingMask) {
    return open(ids, paddingMask, null);
  }

  /**
   * Opens a context of rows that may hold several sequences each.
   *
   * @param ids as in {@link #open(Tensor, Tensor)}
   * @param paddingMask as in {@link #open(Tensor, Tensor)}
   * @param packing the sequences of each row; null if each row is one
   */
  public static SequenceContext open(Tensor ids, Tensor paddingMask, Packing packing) {
    return new SequenceContext(ids, paddingMask, packing);
  }

  /** The sequences of each row; null if each row is one. */
  public static Packing packing() {
    SequenceContext tokens = INNERMOST.get();
    return tokens == null ? null : tokens.packing;
  }

  /** The tokens' ids, int64 [B, T]; null if unknown. */
  public static Tensor ids() {
    SequenceContext tokens = INNERMOST.get();
    return tokens == null ? null : tokens.ids;
  }

  /** A mask that is false at padding, bool [B, T]; null if there is none or it is unknown. */
  public static Tensor paddingMask() {
    SequenceContext tokens = INNERMOST.get();
    return tokens == null ? null : tokens.paddingMask;
  }

  @Override
  public void close() {
    if (outer == null) {
      INNERMOST.remove();
    } else {
      INNERMOST.set(outer);
    }
  }
}
