package dev.jformer.tensor;

/**
 * Exponential functions of single floats, for loops over plain arrays: several times as fast as
 * those of {@link Math}, and as accurate as floats are.
 */
public final class FloatMath {
  private static final float LOG2_E = 1.442695f;

  /** The natural logarithm of 2 in two parts, of which the first has few digits. */
  private static final float LN2_UPPER = 0.6933594f;

  private static final float LN2_LOWER = -2.1219444e-4f;

  /** Adding it to a small float leaves the nearest integer in the lowest bits. */
  private static final float ROUNDING = 12582912f;

  private static final float LOWEST = -87.3f;
  private static final float HIGHEST = 88.3f;
  private static final int MANTISSA_BITS = 23;

  private FloatMath() {}

  /**
   * e to the power of x: 0 below -87.3, which is where normal floats end, and infinite above 88.3;
   * NaN of NaN. Elsewhere the relative error is below 2e-7.
   */
  public static float exp(float x) {
    if (!(x >= LOWEST)) {
      return x < LOWEST ? 0 : Float.NaN;
    }
    if (x > HIGHEST) {
      return Float.POSITIVE_INFINITY;
    }
    float shifted = x * LOG2_E + ROUNDING;
    float whole = shifted - ROUNDING;
    float r = x - whole * LN2_UPPER - whole * LN2_LOWER;
    // The series of exp(r) for |r| below 0.35; the sixth power contributes 2.5e-6 of it, the
    // seventh 1.3e-7.
    float p = 1 / 5040f;
    p = p * r + 1 / 720f;
    p = p * r + 1 / 120f;
    p = p * r + 1 / 24f;
    p = p * r + 1 / 6f;
    p = p * r + 0.5f;
    p = p * r + 1;
    p = p * r + 1;
    return p * Float.intBitsToFloat(((int) whole + 127) << MANTISSA_BITS);
  }

  /** The logistic function, 1 / (1 + exp(-x)). */
  public static float sigmoid(float x) {
    return 1 / (1 + exp(-x));
  }

  /** The hyperbolic tangent, with an absolute error below 3e-7. */
  public static float tanh(float x) {
    return 1 - 2 / (1 + exp(2 * x));
  }

  /**
   * The error function, with an absolute error below 5e-7 (formula 7.1.26 of Abramowitz and Stegun,
   * Handbook of Mathematical Functions).
   */
  public static float erf(float x) {
    float size = Math.abs(x);
    float t = 1 / (1 + 0.3275911f * size);
    float p = 1.0614054f;
    p = p * t - 1.4531521f;
    p = p * t + 1.4214138f;
    p = p * t - 0.28449672f;
    p = p * t + 0.2548296f;
    return Math.copySign(1 - p * t * exp(-size * size), x);
  }

  /**
   * Replaces numbers by their softmax.
   *
   * @param x the numbers are those from {@code from} on
   * @param count how many there are, at least 1
   */
  public static void softmax(float[] x, int from, int count) {
    int end = from + count;
    float largest = x[from];
    for (int i = from + 1; i < end; i++) {
      largest = Math.max(largest, x[i]);
    }
    float sum = 0;
    for (int i = from; i < end; i++) {
      x[i] = exp(x[i] - largest);
      sum += x[i];
    }
    float factor = 1 / sum;
    for (int i = from; i < end; i++) {
      x[i] *= factor;
    }
  }
}
