package dev.jformer.testing;

import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;

/** Places to build parts for, outside of a model. */
public final class Sites {
  private Sites() {}

  /** The first of two blocks, causal, with biases, without dropout. */
  public static BlockContext causal(int width) {
    return site(width, true);
  }

  /** The first of two blocks that look both ways, with biases, without dropout. */
  public static BlockContext bidirectional(int width) {
    return site(width, false);
  }

  private static BlockContext site(int width, boolean causal) {
    return new BlockContext(
        width, 0, 2, 64, causal, true, 0, new BlockContext.Init(), new Linear.Config());
  }
}
