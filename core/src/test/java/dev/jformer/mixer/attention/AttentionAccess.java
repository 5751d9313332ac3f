package dev.jformer.mixer.attention;

import dev.jformer.tensor.Tensor;

/** Lets tests in other packages look into the frame of attention. */
public final class AttentionAccess {
  private AttentionAccess() {}

  /** Queries, keys and values of a whole sequence, before the position encoding acts on them. */
  public static Attention.Heads heads(Attention attention, Tensor x) {
    return attention.project(x, null, null);
  }
}
