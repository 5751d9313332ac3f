package dev.jformer.nn;

import dev.jformer.tensor.Tensor;

/** Returns what it is given. */
public final class Identity extends Layer {
  @Override
  public Tensor forward(Tensor x) {
    return x;
  }
}
