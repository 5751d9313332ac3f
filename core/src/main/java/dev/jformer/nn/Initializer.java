package dev.jformer.nn;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/** Creates the initial values of a weight; draws come from {@link dev.jformer.tensor.Random}. */
@FunctionalInterface
public interface Initializer {
  /** Creates a float32 tensor of this shape. */
  Tensor create(long... shape);

  /** Zeros. */
  static Initializer zeros() {
    return shape -> Tensor.zeros(DType.FLOAT32, shape);
  }

  /** One value everywhere. */
  static Initializer constant(double value) {
    return shape -> Tensor.full(value, DType.FLOAT32, shape);
  }

  /** A normal distribution with mean 0. */
  static Initializer normal(double deviation) {
    return shape -> Tensor.empty(DType.FLOAT32, shape).normal_(0, deviation);
  }

  /**
   * A uniform distribution on [-1/√fan-in, 1/√fan-in], where the fan-in is the product of all
   * dimensions but the first.
   */
  static Initializer uniformFanIn() {
    return shape -> {
      double bound = 1 / Math.sqrt(fanIn(shape));
      return Tensor.empty(DType.FLOAT32, shape).uniform_(-bound, bound);
    };
  }

  /** A uniform distribution of variance 2 / (fan-in + fan-out), of Glorot and Bengio (2010). */
  static Initializer xavierUniform() {
    return shape -> {
      double fanOut = shape[0] * fanIn(shape) / shape[1];
      double bound = Math.sqrt(6 / (fanIn(shape) + fanOut));
      return Tensor.empty(DType.FLOAT32, shape).uniform_(-bound, bound);
    };
  }

  private static double fanIn(long[] shape) {
    double product = 1;
    for (int i = 1; i < shape.length; i++) {
      product *= shape[i];
    }
    return product;
  }
}
