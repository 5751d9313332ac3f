package dev.jformer.nn;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/** A convolution of images, with a bias: [B, in, H, W] to [B, out, H', W']. */
public final class Convolution2d extends Layer {
  private final int stride;
  private final int padding;
  private final Parameter weight;
  private final Parameter bias;

  /** Creates a layer; {@code initializer} makes the weight [out, in, kernel, kernel]. */
  public Convolution2d(
      long in, long out, int kernel, int stride, int padding, Initializer initializer) {
    this.stride = stride;
    this.padding = padding;
    this.weight = parameter("weight", initializer.create(out, in, kernel, kernel));
    this.bias = parameter("bias", Tensor.zeros(out));
  }

  @Override
  public Tensor forward(Tensor x) {
    return Functional.conv2d(x, weight.value(), bias.value(), stride, padding, 1);
  }
}
