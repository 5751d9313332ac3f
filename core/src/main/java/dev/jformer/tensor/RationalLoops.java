package dev.jformer.tensor;

/**
 * The loops of {@link Rational}, in the form that the JVM's compiler turns into vector
 * instructions: it does so as long as a loop has one index without an offset, writes to one array,
 * reads few (six worked, nine did not), and uses fused multiply-add. Starting and ending a loop
 * takes some 50 ns, so there are few loops that do much. Written as one loop, the gradients took
 * four times as long.
 */
final class RationalLoops {
  /** So small that it only matters when added to 0, whose sign it makes 1. */
  private static final float TINY = 1e-30f;

  private RationalLoops() {}

  /** y := Q(x), each element with coefficients of its own. */
  static void denominator(float[] x, float[] y, float[] b0, float[] b1, float[] b2, float[] b3) {
    for (int i = 0; i < x.length; i++) {
      float v = x[i];
      y[i] = Math.fma(Math.fma(Math.fma(b3[i], v, b2[i]), v, b1[i]), v, b0[i]) * v;
    }
  }

  /** y := {@code P(x) / (1 + |q|)}. */
  static void divide(float[] x, float[] q, float[] y, float[] a) {
    float a0 = a[0];
    float a1 = a[1];
    float a2 = a[2];
    float a3 = a[3];
    float a4 = a[4];
    float a5 = a[5];
    for (int i = 0; i < x.length; i++) {
      float v = x[i];
      float high = Math.fma(Math.fma(Math.fma(a5, v, a4), v, a3), v, a2);
      y[i] = Math.fma(Math.fma(high, v, a1), v, a0) / (1 + Math.abs(q[i]));
    }
  }

  /** r := {@code 1 / ((1 + |q|) |q|)}, the one division that two loops share. */
  static void invert(float[] q, float[] r) {
    for (int i = 0; i < q.length; i++) {
      float size = Math.abs(q[i]);
      r[i] = 1 / ((1 + size) * (size + TINY));
    }
  }

  /** w := {@code w / (1 + |q|)}: turns the gradient of the results into that of P. */
  static void ofNumerator(float[] q, float[] r, float[] w) {
    for (int i = 0; i < w.length; i++) {
      w[i] *= r[i] * (Math.abs(q[i]) + TINY);
    }
  }

  /** u := the gradient of Q, where w is that of P: {@code -w P(x) sign(q) / (1 + |q|)}. */
  static void ofDenominator(float[] x, float[] q, float[] r, float[] w, float[] u, float[] a) {
    float a0 = a[0];
    float a1 = a[1];
    float a2 = a[2];
    float a3 = a[3];
    float a4 = a[4];
    float a5 = a[5];
    for (int i = 0; i < x.length; i++) {
      float v = x[i];
      float high = Math.fma(Math.fma(Math.fma(a5, v, a4), v, a3), v, a2);
      float p = Math.fma(Math.fma(high, v, a1), v, a0);
      u[i] = -(w[i] * p) * ((q[i] + TINY) * r[i]);
    }
  }

  /** y := Q'(x). */
  static void slopeOfDenominator(
      float[] x, float[] y, float[] b0, float[] b1, float[] b2, float[] b3) {
    for (int i = 0; i < x.length; i++) {
      float v = x[i];
      y[i] = Math.fma(Math.fma(Math.fma(4 * b3[i], v, 3 * b2[i]), v, 2 * b1[i]), v, b0[i]);
    }
  }

  /** y := w P'(x) + u s. */
  static void slope(float[] x, float[] w, float[] u, float[] s, float[] y, float[] a) {
    float a1 = a[1];
    float a2 = 2 * a[2];
    float a3 = 3 * a[3];
    float a4 = 4 * a[4];
    float a5 = 5 * a[5];
    for (int i = 0; i < x.length; i++) {
      float v = x[i];
      float slope = Math.fma(Math.fma(Math.fma(Math.fma(a5, v, a4), v, a3), v, a2), v, a1);
      y[i] = Math.fma(w[i], slope, u[i] * s[i]);
    }
  }

  // ---- Sums of w times a power of x plus v times the same power of y

  /** Adds w + v to the sum. */
  static void add0(float[] sum, float[] w, float[] v) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += w[i] + v[i];
    }
  }

  /** Adds w x + v y to the sum. */
  static void add1(float[] sum, float[] w, float[] x, float[] v, float[] y) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] = Math.fma(w[i], x[i], Math.fma(v[i], y[i], sum[i]));
    }
  }

  /** Adds w x² + v y² to the sum. */
  static void add2(float[] sum, float[] w, float[] x, float[] v, float[] y) {
    for (int i = 0; i < sum.length; i++) {
      float a = x[i];
      float b = y[i];
      sum[i] = Math.fma(w[i] * a, a, Math.fma(v[i] * b, b, sum[i]));
    }
  }

  /** Adds w x³ + v y³ to the sum. */
  static void add3(float[] sum, float[] w, float[] x, float[] v, float[] y) {
    for (int i = 0; i < sum.length; i++) {
      float a = x[i];
      float b = y[i];
      sum[i] = Math.fma(w[i] * a, a * a, Math.fma(v[i] * b, b * b, sum[i]));
    }
  }

  /** Adds w x⁴ + v y⁴ to the sum. */
  static void add4(float[] sum, float[] w, float[] x, float[] v, float[] y) {
    for (int i = 0; i < sum.length; i++) {
      float a = x[i] * x[i];
      float b = y[i] * y[i];
      sum[i] = Math.fma(w[i] * a, a, Math.fma(v[i] * b, b, sum[i]));
    }
  }

  /** Adds w x⁵ + v y⁵ to the sum. */
  static void add5(float[] sum, float[] w, float[] x, float[] v, float[] y) {
    for (int i = 0; i < sum.length; i++) {
      float a = x[i] * x[i];
      float b = y[i] * y[i];
      sum[i] = Math.fma(w[i] * x[i], a * a, Math.fma(v[i] * y[i], b * b, sum[i]));
    }
  }
}
