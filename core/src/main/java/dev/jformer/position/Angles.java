package dev.jformer.position;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/** The angles p / base^(2i/D) that sinusoidal and rotary encodings share. */
final class Angles {
  private Angles() {}

  static void checkBase(double base) {
    if (!(base > 0 && base < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("base is " + base + ": expected a finite number above 0");
    }
  }

  /** The growth of the angles from one position to the next, for i = 0 … width/2 - 1. */
  static double[] rates(int width, double base) {
    double[] rates = new double[width / 2];
    for (int i = 0; i < rates.length; i++) {
      rates[i] = Math.pow(base, -2.0 * i / width);
    }
    return rates;
  }

  /**
   * The angles of positions 0 … positions - 1 for i = 0 … width/2 - 1, float64 [positions,
   * width/2].
   */
  static Tensor of(long positions, int width, double base) {
    return of(0, positions, rates(width, base));
  }

  /** The angles of positions start … start + count - 1, float64 [count, rates]. */
  static Tensor of(long start, long count, double[] rates) {
    Tensor p = Tensor.arange(start, start + count).to(DType.FLOAT64).unsqueeze(1);
    return p.mul(Tensor.of(rates, 1, rates.length));
  }
}
