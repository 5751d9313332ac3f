package dev.jformer.nn.shift;

import dev.jformer.tensor.Int8;
import dev.jformer.tensor.Tensor;

/**
 * Products of 8-bit integers with powers of two, row of weights by row: {@code ±(x << p)} added up
 * in 32 bits. The loops are such that the JVM's compiler makes vector instructions of them.
 */
final class ShiftProduct {
  private final int[][] x;
  private final int out;
  private final int[] sums;

  /**
   * For some rows of integers.
   *
   * @param x [rows * in]
   * @param out rows of weights
   */
  ShiftProduct(byte[] x, int in, int out) {
    this.out = out;
    this.x = new int[x.length / in][in];
    for (int i = 0; i < x.length; i++) {
      this.x[i / in][i % in] = x[i];
    }
    this.sums = new int[this.x.length * out];
  }

  /** The most summands whose sum fits 32 bits, for a largest exponent. */
  static long longest(int largest) {
    return Integer.MAX_VALUE / ((long) (Int8.LEVELS + 1) << largest);
  }

  /**
   * Multiplies all rows of integers with one of weights.
   *
   * @param shifts exponents
   * @param masks -1 where a weight is negative, else 0
   */
  void row(int number, int[] shifts, int[] masks) {
    for (int t = 0; t < x.length; t++) {
      sums[t * out + number] = sum(x[t], shifts, masks);
    }
  }

  /** (v ^ -1) - -1 is -v. */
  private static int sum(int[] x, int[] shifts, int[] masks) {
    int sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += ((x[i] << shifts[i]) ^ masks[i]) - masks[i];
    }
    return sum;
  }

  /**
   * Takes away again what was added for weights of zero, which count as 1 in {@link #row}.
   *
   * @param masks -1 where a weight is zero, else 0
   */
  void without(int number, int[] masks) {
    for (int t = 0; t < x.length; t++) {
      int sum = 0;
      int[] row = x[t];
      for (int i = 0; i < row.length; i++) {
        sum += row[i] & masks[i];
      }
      sums[t * out + number] -= sum;
    }
  }

  /** int32 [rows, out]. */
  Tensor sums() {
    return Tensor.of(sums, x.length, out);
  }
}
