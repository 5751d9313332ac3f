package dev.jformer.nn;

import dev.jformer.tensor.Tensor;

/**
 * LayerScale, as in <a href="https://arxiv.org/abs/2103.17239">Going deeper with Image
 * Transformers</a>: a trained factor for each channel of what a part of a block adds.
 */
final class LayerScale extends Layer {
  private final Parameter scale;

  /**
   * Factors for a residual stream.
   *
   * @param width D
   * @param start the value that all factors start with
   */
  LayerScale(int width, double start) {
    this.scale = parameter("scale", Initializer.constant(start).create(width));
  }

  /** [B, T, D] to [B, T, D]. */
  @Override
  public Tensor forward(Tensor x) {
    return x.mul(scale.value());
  }

  @Override
  public RowFunction rowFunction() {
    float[] factors = scale.value().toFloats();
    return (x, y, rows) -> {
      for (int start = 0; start < rows * factors.length; start += factors.length) {
        for (int i = 0; i < factors.length; i++) {
          y[start + i] = x[start + i] * factors[i];
        }
      }
    };
  }
}
