package dev.jformer.mixer.attention;

import dev.jformer.tensor.Tensor;

/** Lets tests in other packages look into the frame of attention. */
public final class AttentionAccess {
  private AttentionAccess() {}

  /** Queries, keys and values of a whole sequence, before the position encoding acts on them. */
  public static Attention.Heads heads(Attention attention, Tensor x) {
    return attention.project(x, null, null);
  }

  /** What the mixer gives if its heads take the values by these weights [B, H, T, T]. */
  public static Tensor fromWeights(
      Attention attention, Tensor weights, Tensor x, Tensor paddingMask) {
    Tensor values = attention.project(x, paddingMask, null).value();
    Tensor taken = weights.matmul(attention.repeatGroups(values));
    return attention.outputLayer(taken.transpose(1, 2).flatten(2, 3));
  }
}
