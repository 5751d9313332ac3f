package dev.jformer.testing;

import dev.jformer.nn.Linear;
import dev.jformer.nn.Site;

/** Places to build parts for, outside of a model. */
public final class Sites {
  private Sites() {}

  /** The first of two blocks, causal, with biases, without dropout. */
  public static Site causal(int width) {
    return site(width, true);
  }

  /** The first of two blocks that look both ways, with biases, without dropout. */
  public static Site bidirectional(int width) {
    return site(width, false);
  }

  private static Site site(int width, boolean causal) {
    return new Site(width, 0, 2, 64, causal, true, 0, new Site.Init(), new Linear.Config());
  }
}
