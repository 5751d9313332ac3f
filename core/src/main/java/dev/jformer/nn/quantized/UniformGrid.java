package dev.jformer.nn.quantized;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * A uniform quantization grid, the evenly spaced values of integers of few bits: {@code scale (q -
 * zero)} with q from {@code -2^(bits-1)} to {@code 2^(bits-1) - 1}. A symmetric grid has zero 0; an
 * asymmetric one shifts its zero, so that no integers are wasted on a range such as that of GELU.
 * Zero is always on the grid.
 *
 * @param scale distance of adjacent values, a float32 number
 * @param zero the integer that represents 0
 * @param bits of an integer, 2 to 8
 */
public record UniformGrid(double scale, long zero, int bits) {
  /** Checks the values. */
  public UniformGrid {
    check("bits", bits);
    if (!(scale > 0) || Double.isInfinite(scale)) {
      throw new IllegalArgumentException("scale is " + scale + ": expected a positive number");
    }
  }

  static void check(String name, int bits) {
    if (bits < 2 || bits > 8) {
      throw new IllegalArgumentException(name + " is " + bits + ": expected 2 to 8");
    }
  }

  /**
   * Creates the grid for a range of values. A symmetric one reaches to the larger of both ends with
   * its positive half; an asymmetric one from end to end, and to 0 if that lies outside.
   *
   * @param symmetric whether the integer 0 represents 0
   */
  public static UniformGrid of(double low, double high, int bits, boolean symmetric) {
    check("bits", bits);
    double bottom = Math.min(low, 0);
    double top = Math.max(high, 0);
    double span = symmetric ? Math.max(-bottom, top) : top - bottom;
    long steps = symmetric ? (1L << (bits - 1)) - 1 : (1L << bits) - 1;
    double scale = (float) (span / steps);
    if (!(scale > 0)) {
      scale = 1; // all values are zero, or too close to it for float32
    }
    long zero = symmetric ? 0 : Math.round(-bottom / scale) - (1L << (bits - 1));
    return new UniformGrid(scale, zero, bits);
  }

  /** The smallest integer. */
  public long least() {
    return -(1L << (bits - 1));
  }

  /** The largest integer. */
  public long most() {
    return (1L << (bits - 1)) - 1;
  }

  /** Rounds values to the nearest integers, ties to even, as floating-point numbers. */
  public Tensor integers(Tensor x) {
    return integers(x, Tensor.scalar(scale), Tensor.scalar((double) zero), bits);
  }

  /** Rounds with a grid that is stored in tensors of one element. */
  static Tensor integers(Tensor x, Tensor scale, Tensor zero, int bits) {
    double half = 1L << (bits - 1);
    return x.div(scale).round().add(zero).clamp(-half, half - 1);
  }

  /** Rounds {@code x} to the nearest values of the grid. */
  public Tensor rounded(Tensor x) {
    return integers(x.to(DType.FLOAT32)).sub(zero).mul(scale);
  }

  /** The mean squared error of rounding {@code x}, in squared steps. */
  public double error(Tensor x) {
    Tensor difference = rounded(x).to(x.dtype()).sub(x).square().to(DType.FLOAT64);
    return difference.mean().item() / (scale * scale);
  }
}
