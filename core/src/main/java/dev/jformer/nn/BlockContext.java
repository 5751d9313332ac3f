package dev.jformer.nn;

import dev.jformer.config.Checks;

/**
 * Where in a model a part stands, and how its weights start: what a part's configuration needs to
 * build it.
 *
 * @param width D, the width of the residual stream
 * @param layer number of the block, from 0
 * @param layers number of blocks in the model
 * @param length the longest sequence, in tokens
 * @param causal whether a token may see earlier ones only
 * @param bias whether linear layers have a bias
 * @param dropout probability of dropout in training
 * @param init how linear layers start
 * @param projection what linear layers are
 * @param rows in how many rows the tokens of a sequence stand, one row after the other: those of a
 *     picture in several, those of a text in one
 */
public record BlockContext(
    int width,
    int layer,
    int layers,
    int length,
    boolean causal,
    boolean bias,
    double dropout,
    Init init,
    Projection projection,
    int rows) {
  /** A place in a model of sequences, whose tokens stand in one row. */
  public BlockContext(
      int width,
      int layer,
      int layers,
      int length,
      boolean causal,
      boolean bias,
      double dropout,
      Init init,
      Projection projection) {
    this(width, layer, layers, length, causal, bias, dropout, init, projection, 1);
  }

  /**
   * Initialisation of linear layers, as in GPT-2.
   *
   * @param deviation standard deviation of the normal distribution the weights are drawn from
   * @param scaleResidual whether layers that write into the residual stream start smaller by
   *     1/√(2L)
   */
  public record Init(double deviation, boolean scaleResidual) {
    /** As in GPT-2. */
    public Init() {
      this(0.02, true);
    }

    /** Checks the values. */
    public Init {
      Checks.moreThan("deviation", deviation, 0);
    }
  }

  /** A linear layer of this model. */
  public Layer linear(long in, long out) {
    return projection.build(in, out, bias, Initializer.normal(init.deviation()));
  }

  /** A linear layer whose output is added to the residual stream. */
  public Layer residual(long in, long out) {
    double scale = init.scaleResidual() ? 1 / Math.sqrt(2.0 * layers) : 1;
    return projection.build(in, out, bias, Initializer.normal(init.deviation() * scale));
  }
}
