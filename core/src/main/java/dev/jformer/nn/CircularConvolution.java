package dev.jformer.nn;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * A convolution of width 3 along time with circular padding and a bias: [B, T, in] to [B, T, out].
 */
public final class CircularConvolution extends Layer {
  private static final int WIDTH = 3;

  private final Parameter weight;
  private final Parameter bias;

  /** Creates a layer; {@code initializer} makes the weight [out, in, 3]. */
  public CircularConvolution(long in, long out, Initializer initializer) {
    this.weight = parameter("weight", initializer.create(out, in, WIDTH));
    this.bias = parameter("bias", Tensor.zeros(out));
  }

  @Override
  public Tensor forward(Tensor x) {
    long length = x.size(1);
    Tensor around = Tensor.cat(1, x.narrow(1, length - 1, 1), x, x.narrow(1, 0, 1));
    return Functional.conv1d(around.transpose(1, 2), weight.value(), bias.value(), 1, 0, 1, 1)
        .transpose(1, 2);
  }
}
