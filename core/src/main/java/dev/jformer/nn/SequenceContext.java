package dev.jformer.nn;

import dev.jformer.tensor.Tensor;

/**
 * The tokens that the blocks of a model work on, for parts that ask for more than their vectors:
 * which words they are, and which are padding. A model says so around its blocks:
 *
 * <pre>{@code
 * try (SequenceContext tokens = SequenceContext.are(ids, keep)) {
 *   for (Block block : blocks) {
 *     x = block.forward(x, keep);
 *   }
 * }
 * }</pre>
 *
 * Those of the innermost open one count, in the calling thread.
 */
public final class SequenceContext implements AutoCloseable {
  private static final ThreadLocal<SequenceContext> INNERMOST = new ThreadLocal<>();

  private final Tensor ids;
  private final Tensor paddingMask;
  private final SequenceContext outer;

  private SequenceContext(Tensor ids, Tensor paddingMask) {
    this.ids = ids;
    this.paddingMask = paddingMask;
    this.outer = INNERMOST.get();
    INNERMOST.set(this);
  }

  /**
   * Says what the blocks that follow work on.
   *
   * @param ids int64 [B, T]; null where tokens are no words
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   */
  public static SequenceContext open(Tensor ids, Tensor paddingMask) {
    return new SequenceContext(ids, paddingMask);
  }

  /** Their ids, int64 [B, T]; null if no one said. */
  public static Tensor ids() {
    SequenceContext tokens = INNERMOST.get();
    return tokens == null ? null : tokens.ids;
  }

  /** False where a token is padding, bool [B, T]; null if there is none, or no one said. */
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
