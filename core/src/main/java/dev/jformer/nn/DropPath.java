package dev.jformer.nn;

import dev.jformer.tensor.Tensor;

/**
 * Stochastic depth, as in <a href="https://arxiv.org/abs/1603.09382">Deep Networks with Stochastic
 * Depth</a>: in training, what a part of a block adds is left out for random sequences, and larger
 * for the others, so that its mean stays the same.
 */
final class DropPath extends Layer {
  private final Slot<Layer> before;
  private final double probability;

  /**
   * A layer that drops.
   *
   * @param before what the input passes first; its parameters are listed as this layer's own
   * @param probability with which a sequence is left out
   */
  DropPath(Layer before, double probability) {
    this.before = unnamedChild(Layer.class, before);
    this.probability = probability;
  }

  /** [B, T, D] to [B, T, D]. */
  @Override
  public Tensor forward(Tensor x) {
    Tensor whole = before.get().forward(x);
    if (!isTraining()) {
      return whole;
    }
    Tensor kept = Tensor.rand(x.size(0), 1, 1).ge(probability).to(x.dtype()).div(1 - probability);
    return whole.mul(kept.to(x.device()));
  }

  @Override
  public RowFunction rowFunction() {
    return isTraining() ? null : before.get().rowFunction();
  }
}
