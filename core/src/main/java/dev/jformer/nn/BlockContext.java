package dev.jformer.nn;

import dev.jformer.config.Checks;

/**
 * The context of a block that the configurations of its parts need to build them: its place in the
 * model, sizes, and initial weights.
 *
 * @param width D, the width of the residual stream
 * @param layer index of the block, from 0
 * @param layers number of blocks in the model
 * @param length the longest sequence, in tokens
 * @param causal whether a token sees only itself and earlier ones
 * @param bias whether linear layers have a bias
 * @param dropout probability of dropout in training
 * @param init initial weights of linear layers
 * @param projection the kind of linear layers
 * @param rows number of rows of tokens: the tokens of an image form several rows, one after the
 *     other, those of a text one
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
  /** The context of a block in a model of sequences, whose tokens form one row. */
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
   * @param scaleResidual whether initial weights of layers that write into the residual stream are
   *     scaled by 1/√(2L)
   */
  public record Init(double deviation, boolean scaleResidual) {
    /** Defaults, as in GPT-2. */
    public Init() {
      this(0.02, true);
    }

    /** Checks the values. */
    public Init {
      Checks.moreThan("deviation", deviation, 0);
    }
  }

  /** Builds a linear layer. */
  public Layer linear(long in, long out) {
    return linear(in, out, bias);
  }

  /** Builds a linear layer with or without a bias, whatever others have. */
  public Layer linear(long in, long out, boolean biased) {
    return projection.build(in, out, biased, Initializer.normal(init.deviation()));
  }

  /** Builds a linear layer whose output is added to the residual stream. */
  public Layer residual(long in, long out) {
    return residual(in, out, bias);
  }

  /** The same with or without a bias, whatever other linear layers have. */
  public Layer residual(long in, long out, boolean bias) {
    double scale = init.scaleResidual() ? 1 / Math.sqrt(2.0 * layers) : 1;
    return projection.build(in, out, bias, Initializer.normal(init.deviation() * scale));
  }
}
