package dev.jformer.nn;

import dev.jformer.tensor.Tensor;

/**
 * Scales what a half of a block gives, and leaves it out for some sequences; see {@link Residual}.
 */
final class ResidualBranch extends Layer {
  private final Parameter scale;
  private final double drop;

  ResidualBranch(int width, double layerScale, double drop) {
    this.scale =
        layerScale == 0 ? null : parameter("scale", Initializer.constant(layerScale).create(width));
    this.drop = drop;
  }

  /** [B, T, D] to [B, T, D]. */
  @Override
  public Tensor forward(Tensor x) {
    Tensor scaled = scale == null ? x : x.mul(scale.value());
    if (!isTraining() || drop == 0) {
      return scaled;
    }
    Tensor kept = Tensor.rand(x.size(0), 1, 1).ge(drop).to(x.dtype()).div(1 - drop);
    return scaled.mul(kept.to(x.device()));
  }
}
