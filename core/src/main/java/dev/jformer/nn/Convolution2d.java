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

  /** Creates a layer from values: weight [out, in, kernel, kernel] and bias [out]. */
  public Convolution2d(Tensor weight, Tensor bias, int stride, int padding) {
    this.stride = stride;
    this.padding = padding;
    this.weight = parameter("weight", weight);
    this.bias = parameter("bias", bias);
  }

  /** The weight [out, in, kernel, kernel]. */
  public Parameter weight() {
    return weight;
  }

  /** The distance of the places that it is applied to. */
  public int stride() {
    return stride;
  }

  /** The zeros added on all sides. */
  public int padding() {
    return padding;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Functional.conv2d(x, weight.value(), bias.value(), stride, padding, 1);
  }
}
