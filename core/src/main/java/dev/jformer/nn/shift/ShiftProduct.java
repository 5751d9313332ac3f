package dev.jformer.nn.shift;

import dev.jformer.tensor.Int8;
import dev.jformer.tensor.Tensor;

/**
 * Computes products of 8-bit integers with powers of two: sums of {@code ±(x << p)} in 32 bits, one
 * row of weights at a time. The loops are written so that the JVM's compiler vectorises them.
 */
final class ShiftProduct {
  private final int[][] x;
  private final int out;
  private final int[] sums;

  /**
   * Prepares the products of rows of integers.
   *
   * @param x [rows * in]
   * @param out number of rows of weights
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

  /** The sum of a row; {@code (v ^ -1) - -1} is -v. */
  private static int sum(int[] x, int[] shifts, int[] masks) {
    int sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += ((x[i] << shifts[i]) ^ masks[i]) - masks[i];
    }
    return sum;
  }

  /**
   * Subtracts the terms of weights that are zero, which count as 1 in {@link #row}.
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

  /** The results, int32 [rows, out]. */
  Tensor sums() {
    return Tensor.of(sums, x.length, out);
  }
}
