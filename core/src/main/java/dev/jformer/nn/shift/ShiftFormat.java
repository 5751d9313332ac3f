package dev.jformer.nn.shift;

/**
 * A format of weights of few bits that are signed powers of two. Without zero the upper bit is the
 * sign and the others are the exponent, so that every code is used. With zero, the others are 0 for
 * zero and otherwise the exponent plus 1; one code is unused, because zero has no sign.
 *
 * @param bits bits of a weight, 2 to 4
 * @param zero whether 0 is among the weights
 */
record ShiftFormat(int bits, boolean zero) {
  /** Checks the bits. */
  ShiftFormat {
    if (bits < 2 || bits > 4) {
      throw new IllegalArgumentException("bits is " + bits + ": expected 2, 3 or 4");
    }
  }

  /** The largest exponent. */
  int largest() {
    return (1 << (bits - 1)) - 1 - (zero ? 1 : 0);
  }

  /** The code of a weight. */
  int code(int sign, int shift) {
    if (Math.abs(sign) > 1 || (sign == 0 && !zero) || shift < 0 || shift > largest()) {
      throw new IllegalArgumentException(
          "no weight of "
              + bits
              + " bits "
              + (zero ? "with" : "without")
              + " zero has the sign "
              + sign
              + " and the exponent "
              + shift);
    }
    int size = zero ? (sign == 0 ? 0 : shift + 1) : shift;
    return (sign < 0 ? 1 << (bits - 1) : 0) | size;
  }

  /** The sign of a code: 1, -1, or 0 for zero. */
  int sign(int code) {
    int size = code & ((1 << (bits - 1)) - 1);
    return zero && size == 0 ? 0 : code >> (bits - 1) == 0 ? 1 : -1;
  }

  /** The exponent of a code. */
  int shift(int code) {
    int size = code & ((1 << (bits - 1)) - 1);
    return zero ? Math.max(0, size - 1) : size;
  }

  /** Number of bytes of the codes of a row. */
  long bytes(long in) {
    return (in * bits + 7) / 8;
  }

  /** The exponent of the power of two nearest to an absolute value; -1 for zero. */
  int nearest(double size) {
    if (zero && size < 0.5) {
      return -1;
    }
    int shift = 0;
    while (shift < largest() && size > 1.5 * (1 << shift)) {
      shift++;
    }
    return shift;
  }

  /**
   * The scale with which powers of two approximate a row best, found by alternating rounding and
   * least squares from several starts.
   *
   * @return 0 for a row of zeros
   */
  double scale(double[] row) {
    double largest = 0;
    for (double value : row) {
      largest = Math.max(largest, Math.abs(value));
    }
    double best = 0;
    double least = Double.MAX_VALUE;
    for (int start = 1; start <= 4 && largest > 0; start++) {
      double scale = largest * start / 4 / (1 << largest());
      for (int turn = 0; turn < 8; turn++) {
        double product = 0;
        double square = 0;
        double error = 0;
        for (double value : row) {
          int shift = nearest(Math.abs(value) / scale);
          double whole = shift < 0 ? 0 : 1 << shift;
          product += whole * Math.abs(value);
          square += whole * whole;
          error += Math.pow(Math.abs(value) - scale * whole, 2);
        }
        if (error < least) {
          least = error;
          best = scale;
        }
        if (square == 0 || product == 0) {
          break;
        }
        scale = product / square;
      }
    }
    return best;
  }
}
