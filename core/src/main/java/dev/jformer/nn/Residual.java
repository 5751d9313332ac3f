package dev.jformer.nn;

import dev.jformer.config.Checks;

/**
 * What becomes of the two halves of a block before they are added to the residual stream.
 *
 * @param layerScale what the factors of each channel, which are trained, start at (arXiv
 *     2103.17239); 0 for no factors
 * @param stochasticDepth probability with which a half of the last block is left out for a sequence
 *     in training (arXiv 1603.09382); that of the blocks before rises evenly from 0
 */
public record Residual(double layerScale, double stochasticDepth) {
  /** They are added as they are. */
  public Residual() {
    this(0, 0);
  }

  /** Checks the values. */
  public Residual {
    Checks.atLeast("layerScale", layerScale, 0);
    Checks.probability("stochasticDepth", stochasticDepth);
  }

  /** What does it for the block at a place. */
  public Layer build(BlockContext site) {
    double drop = site.layers() == 1 ? 0 : stochasticDepth * site.layer() / (site.layers() - 1);
    Layer scale = layerScale == 0 ? new Identity() : new LayerScale(site.width(), layerScale);
    return drop == 0 ? scale : new DropPath(scale, drop);
  }
}
