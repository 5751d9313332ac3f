package dev.jformer.model.forecast;

import dev.jformer.nn.BatchNorm;
import dev.jformer.nn.CircularConvolution;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Self-attention distilling (<a href="https://arxiv.org/abs/2012.07436">Informer: Beyond Efficient
 * Transformer for Long Sequence Time-Series Forecasting</a>): a convolution along time, batch
 * normalisation, ELU, and max pooling of width 3 and stride 2, which halves the length: [B, T, D]
 * to [B, ⌈T/2⌉, D].
 */
final class DistillingLayer extends Layer {
  private static final int POOL = 3;
  private static final int STRIDE = 2;

  private final Slot<Layer> convolution;
  private final Slot<Layer> norm;

  DistillingLayer(int width) {
    this.convolution =
        child(
            "convolution",
            Layer.class,
            new CircularConvolution(width, width, Initializer.uniformFanIn()));
    this.norm = child("norm", Layer.class, new BatchNorm(width));
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor wide = Functional.elu(norm.get().forward(convolution.get().forward(x)));
    Tensor padded = Functional.pad(wide, Double.NEGATIVE_INFINITY, 0, 0, 1, 1);
    return padded.unfold(1, POOL, STRIDE).max(3, false);
  }
}
