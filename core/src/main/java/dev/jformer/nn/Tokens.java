package dev.jformer.nn;

import dev.jformer.tensor.Tensor;

/**
 * The tokens that the blocks of a model work on, for parts that ask for more than their vectors:
 * which words they are, and which are padding. A model says so around its blocks:
 *
 * <pre>{@code
 * try (Tokens tokens = Tokens.are(ids, keep)) {
 *   for (Block block : blocks) {
 *     x = block.forward(x, keep);
 *   }
 * }
 * }</pre>
 *
 * Those of the innermost open one count, in the calling thread.
 */
public final class Tokens implements AutoCloseable {
  private static final ThreadLocal<Tokens> INNERMOST = new ThreadLocal<>();

  private final Tensor ids;
  private final Tensor keep;
  private final Tokens outer;

  private Tokens(Tensor ids, Tensor keep) {
    this.ids = ids;
    this.keep = keep;
    this.outer = INNERMOST.get();
    INNERMOST.set(this);
  }

  /**
   * Says what the blocks that follow work on.
   *
   * @param ids int64 [B, T]; null where tokens are no words
   * @param keep bool [B, T], false where a token is padding; null if there is none
   */
  public static Tokens are(Tensor ids, Tensor keep) {
    return new Tokens(ids, keep);
  }

  /** Their ids, int64 [B, T]; null if no one said. */
  public static Tensor ids() {
    Tokens tokens = INNERMOST.get();
    return tokens == null ? null : tokens.ids;
  }

  /** False where a token is padding, bool [B, T]; null if there is none, or no one said. */
  public static Tensor keep() {
    Tokens tokens = INNERMOST.get();
    return tokens == null ? null : tokens.keep;
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
