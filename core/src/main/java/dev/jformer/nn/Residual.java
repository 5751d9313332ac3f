package dev.jformer.nn;

import dev.jformer.config.Checks;

/**
 * Settings of the residual branches of blocks: layer scale and stochastic depth.
 *
 * @param layerScale initial value of a trained factor for each channel (<a
 *     href="https://arxiv.org/abs/2103.17239">Going deeper with Image Transformers</a>); 0 for no
 *     factors
 * @param stochasticDepth probability that a branch of the last block is skipped for a sequence in
 *     training (<a href="https://arxiv.org/abs/1603.09382">Deep Networks with Stochastic
 *     Depth</a>); for the blocks before, it rises evenly from 0
 */
public record Residual(double layerScale, double stochasticDepth) {
  /** Default: branches are added unchanged. */
  public Residual() {
    this(0, 0);
  }

  /** Checks the values. */
  public Residual {
    Checks.atLeast("layerScale", layerScale, 0);
    Checks.probability("stochasticDepth", stochasticDepth);
  }

  /** Builds the layer that applies this to the branches of a block. */
  public Layer build(BlockContext context) {
    double drop =
        context.layers() == 1 ? 0 : stochasticDepth * context.layer() / (context.layers() - 1);
    Layer scale = layerScale == 0 ? new Identity() : new LayerScale(context.width(), layerScale);
    return drop == 0 ? scale : new DropPath(scale, drop);
  }
}
