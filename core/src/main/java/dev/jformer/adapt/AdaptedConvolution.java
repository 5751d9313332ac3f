package dev.jformer.adapt;

import dev.jformer.nn.Convolution2d;
import dev.jformer.nn.Layer;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * A frozen convolution with adapters, [B, in, H, W] to [B, out, H', W']. Its weight is a matrix of
 * the patches that it sees, [out, in · kernel²]: A of an update is a convolution with the layer's
 * kernel, stride and padding to r channels, B one with a kernel of one pixel.
 */
final class AdaptedConvolution extends AdaptedLayer {
  private final Convolution2d layer;

  AdaptedConvolution(Convolution2d frozen) {
    super(frozen);
    this.layer = frozen;
  }

  @Override
  int outputs() {
    return 1;
  }

  @Override
  Tensor along(Tensor vector) {
    return vector.view(-1, 1, 1);
  }

  @Override
  Tensor down(Tensor x, LowRankUpdate part) {
    Tensor kernels = FrozenWeight.of(layer).kernels(part.a().value().to(x.dtype()));
    return Functional.conv2d(x, kernels, null, layer.stride(), layer.padding(), 1);
  }

  @Override
  Tensor up(Tensor low, LowRankUpdate part) {
    Tensor pixels = FrozenWeight.of(layer).pixels(part.b().value().to(low.dtype()));
    return Functional.conv2d(low, pixels, null, 1, 0, 1);
  }

  @Override
  Layer plain(Tensor weight, Tensor bias) {
    return new Convolution2d(
        FrozenWeight.of(layer).kernels(weight), bias, layer.stride(), layer.padding());
  }

  @Override
  Tensor updated(Tensor x, LayerUpdate update) {
    return added(layer.forward(x), x, update);
  }
}
