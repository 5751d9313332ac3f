package dev.jformer.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.bytedeco.javacpp.FloatPointer;

/**
 * {@code P(x) / (1 + |Q(x)|)} of each element, with P of degree 5 shared by all channels and Q of
 * degree 4 without constant, one for each group of neighbouring channels (arXiv 2409.10594).
 *
 * <p>Put together from operators it takes some twenty passes over memory, and twice as many for its
 * gradients. Here it is one pass each way, in pieces that fit the processor's cache, by loops of
 * the simple form that the JVM's compiler turns into vector instructions: arrays, one index.
 *
 * <p>The slope of |Q| where Q is 0 counts as that on its right: so where all of a group's
 * coefficients are 0 they still have a gradient.
 */
final class Rational {
  static final int NUMERATOR = 6;
  static final int DENOMINATOR = 4;

  private static final int PIECE = 1024;

  /** After so many pieces, sums of gradients in float32 are added to those in float64. */
  private static final int PIECES_BETWEEN_SUMS = 256;

  private static final int SMALLEST_SHARE = 1 << 14;

  private Rational() {}

  static Tensor apply(Tensor x, Tensor numerator, Tensor denominator) {
    if (!suits(x) || !suits(numerator) || !suits(denominator)) {
      return ofOperators(x, numerator, denominator);
    }
    return Autograd.withGradient(
        "rational",
        Native.call(
            "rational",
            () -> forward(x.detach(), numerator.detach(), denominator.detach()).torch(),
            x,
            numerator,
            denominator),
        (gradient, operands) -> backward(gradient, operands),
        x,
        numerator,
        denominator);
  }

  private static boolean suits(Tensor x) {
    return x.dtype() == DType.FLOAT32 && x.device().equals(Device.CPU);
  }

  /** The same of the engine's operators, for other types and devices. */
  static Tensor ofOperators(Tensor x, Tensor numerator, Tensor denominator) {
    long groups = denominator.size(0);
    Tensor grouped = x.unflatten(-1, groups, x.size(-1) / groups);
    Tensor p = numerator.select(0, NUMERATOR - 1);
    for (int k = NUMERATOR - 2; k >= 0; k--) {
      p = grouped.mul(p).add(numerator.select(0, k));
    }
    Tensor q = null;
    for (int k = DENOMINATOR - 1; k >= 0; k--) {
      Tensor b = denominator.select(1, k).unsqueeze(1);
      q = grouped.mul(q == null ? b : q.add(b));
    }
    Tensor sign = q.detach().ge(0).to(x.dtype()).mul(2).sub(1);
    return p.div(q.mul(sign).add(1)).flatten(-2, -1);
  }

  /** The coefficients, those of the denominators spread over the channels of a piece. */
  private static final class Coefficients {
    final float[] a;
    final float[] slopeOfA;
    final float[][] b;
    final float[][] slopeOfB;
    final int channels;
    final int piece;

    Coefficients(Tensor x, Tensor numerator, Tensor denominator) {
      channels = Math.toIntExact(x.size(-1));
      piece = channels * Math.max(1, PIECE / channels);
      a = numerator.toFloats();
      slopeOfA = new float[NUMERATOR - 1];
      for (int k = 1; k < NUMERATOR; k++) {
        slopeOfA[k - 1] = k * a[k];
      }
      int groups = Math.toIntExact(denominator.size(0));
      float[] all = denominator.toFloats();
      b = new float[DENOMINATOR][piece];
      slopeOfB = new float[DENOMINATOR][piece];
      int size = channels / groups;
      for (int start = 0; start < piece; start += size) {
        int group = start / size % groups;
        for (int k = 0; k < DENOMINATOR; k++) {
          float value = all[group * DENOMINATOR + k];
          Arrays.fill(b[k], start, start + size, value);
          Arrays.fill(slopeOfB[k], start, start + size, (k + 1) * value);
        }
      }
    }
  }

  private static Tensor forward(Tensor given, Tensor numerator, Tensor denominator) {
    Tensor x = given.contiguous();
    Tensor y = Tensor.empty(DType.FLOAT32, x.shape().toArray());
    if (x.elements() == 0) {
      return y;
    }
    Coefficients c = new Coefficients(x, numerator, denominator);
    FloatPointer in = new FloatPointer(x.torch().data_ptr());
    FloatPointer out = new FloatPointer(y.torch().data_ptr());
    share(
        x.elements(),
        c.piece,
        lane -> {
          FloatPointer from = in.getPointer(0L);
          FloatPointer to = out.getPointer(0L);
          float[] values = new float[c.piece];
          float[] results = new float[c.piece];
          float[] denominators = new float[c.piece];
          return (start, count) -> {
            from.position(start).get(values, 0, count);
            ofDegree5(values, results, c.a, count);
            ofDegree3(values, denominators, c.b[0], c.b[1], c.b[2], c.b[3], count);
            divide(results, values, denominators, count);
            to.position(start).put(results, 0, count);
          };
        });
    return y;
  }

  private static void ofDegree5(float[] x, float[] y, float[] a, int count) {
    float a0 = a[0];
    float a1 = a[1];
    float a2 = a[2];
    float a3 = a[3];
    float a4 = a[4];
    float a5 = a[5];
    for (int i = 0; i < count; i++) {
      float v = x[i];
      y[i] = ((((a5 * v + a4) * v + a3) * v + a2) * v + a1) * v + a0;
    }
  }

  private static void ofDegree4(float[] x, float[] y, float[] a, int count) {
    float a0 = a[0];
    float a1 = a[1];
    float a2 = a[2];
    float a3 = a[3];
    float a4 = a[4];
    for (int i = 0; i < count; i++) {
      float v = x[i];
      y[i] = (((a4 * v + a3) * v + a2) * v + a1) * v + a0;
    }
  }

  /** With other coefficients for each element. */
  private static void ofDegree3(
      float[] x, float[] y, float[] c0, float[] c1, float[] c2, float[] c3, int count) {
    for (int i = 0; i < count; i++) {
      float v = x[i];
      y[i] = ((c3[i] * v + c2[i]) * v + c1[i]) * v + c0[i];
    }
  }

  /** {@code y / (1 + |x q|)}, in place. */
  private static void divide(float[] y, float[] x, float[] q, int count) {
    for (int i = 0; i < count; i++) {
      y[i] = y[i] / (1 + Math.abs(q[i] * x[i]));
    }
  }

  /** Sums over rows of what belongs to each coefficient, for the channels of a piece. */
  private static final class Sums {
    final float[][] small;
    final double[][] large;
    int pieces;

    Sums(int piece) {
      small = new float[NUMERATOR + DENOMINATOR][piece];
      large = new double[NUMERATOR + DENOMINATOR][piece];
    }

    void flush() {
      for (int k = 0; k < small.length; k++) {
        float[] from = small[k];
        double[] to = large[k];
        for (int i = 0; i < from.length; i++) {
          to[i] += from[i];
          from[i] = 0;
        }
      }
      pieces = 0;
    }
  }

  private static List<Tensor> backward(Tensor gradient, List<Tensor> operands) {
    Tensor x = operands.get(0).contiguous();
    Tensor g = gradient.contiguous();
    Tensor dx = Tensor.empty(DType.FLOAT32, x.shape().toArray());
    Coefficients c = new Coefficients(x, operands.get(1), operands.get(2));
    int groups = Math.toIntExact(operands.get(2).size(0));
    double[] da = new double[NUMERATOR];
    double[] db = new double[groups * DENOMINATOR];
    if (x.elements() > 0) {
      FloatPointer in = new FloatPointer(x.torch().data_ptr());
      FloatPointer weights = new FloatPointer(g.torch().data_ptr());
      FloatPointer out = new FloatPointer(dx.torch().data_ptr());
      Sums[] sums = new Sums[lanes(x.elements())];
      share(
          x.elements(),
          c.piece,
          lane -> {
            FloatPointer from = in.getPointer(0L);
            FloatPointer by = weights.getPointer(0L);
            FloatPointer to = out.getPointer(0L);
            Sums sum = new Sums(c.piece);
            sums[lane] = sum;
            Slopes slopes = new Slopes(c, sum);
            return (start, count) -> {
              from.position(start).get(slopes.x, 0, count);
              by.position(start).get(slopes.w, 0, count);
              slopes.differentiate(count);
              to.position(start).put(slopes.dx, 0, count);
              if (++sum.pieces == PIECES_BETWEEN_SUMS) {
                sum.flush();
              }
            };
          });
      for (Sums sum : sums) {
        if (sum != null) {
          add(sum, groups, c.channels / groups, da, db);
        }
      }
    }
    return List.of(
        dx,
        Tensor.of(da, NUMERATOR).to(DType.FLOAT32),
        Tensor.of(db, groups, DENOMINATOR).to(DType.FLOAT32));
  }

  private static void add(Sums sum, int groups, int size, double[] da, double[] db) {
    sum.flush();
    for (int k = 0; k < NUMERATOR; k++) {
      da[k] += Arrays.stream(sum.large[k]).sum();
    }
    for (int k = 0; k < DENOMINATOR; k++) {
      double[] values = sum.large[NUMERATOR + k];
      for (int start = 0; start < values.length; start += size) {
        double total = 0;
        for (int i = start; i < start + size; i++) {
          total += values[i];
        }
        db[start / size % groups * DENOMINATOR + k] += total;
      }
    }
  }

  /** Gradients of a piece. */
  private static final class Slopes {
    private final Coefficients c;
    private final float[][] sums;

    /** The elements. */
    final float[] x;

    /** Gradients of the results. */
    final float[] w;

    /** Gradients of the elements. */
    final float[] dx;

    private final float[] p;
    private final float[] q;
    private final float[] sign;
    private final float[] u;

    Slopes(Coefficients c, Sums sums) {
      this.c = c;
      this.sums = sums.small;
      this.x = new float[c.piece];
      this.w = new float[c.piece];
      this.dx = new float[c.piece];
      this.p = new float[c.piece];
      this.q = new float[c.piece];
      this.sign = new float[c.piece];
      this.u = new float[c.piece];
    }

    void differentiate(int count) {
      ofDegree5(x, p, c.a, count);
      ofDegree3(x, q, c.b[0], c.b[1], c.b[2], c.b[3], count);
      signs(x, q, sign, count);
      divide(q, sign, w, u, count);
      weigh(w, u, p, sign, count);
      ofDegree4(x, dx, c.slopeOfA, count);
      ofDegree3(x, q, c.slopeOfB[0], c.slopeOfB[1], c.slopeOfB[2], c.slopeOfB[3], count);
      combine(dx, w, q, u, count);
      sum(w, x, sums[0], sums[1], count);
      sum(w, x, sums[2], sums[3], count);
      sum(w, x, sums[4], sums[5], count);
      times(u, x, count);
      sum(u, x, sums[6], sums[7], count);
      sum(u, x, sums[8], sums[9], count);
    }

    /** q becomes x q; 1 where that is at least 0, else -1. */
    private static void signs(float[] x, float[] q, float[] sign, int count) {
      for (int i = 0; i < count; i++) {
        float value = q[i] * x[i];
        q[i] = value;
        sign[i] = Math.max(-1, Math.min(1, value * 1e38f + 1));
      }
    }

    /** w becomes w r, and u is r, where r is {@code 1 / (1 + |q|)}. */
    private static void divide(float[] q, float[] sign, float[] w, float[] u, int count) {
      for (int i = 0; i < count; i++) {
        float r = 1 / (1 + q[i] * sign[i]);
        u[i] = r;
        w[i] = w[i] * r;
      }
    }

    /** u becomes the gradient of q. */
    private static void weigh(float[] w, float[] u, float[] p, float[] sign, int count) {
      for (int i = 0; i < count; i++) {
        u[i] = -w[i] * u[i] * p[i] * sign[i];
      }
    }

    private static void combine(float[] dx, float[] w, float[] q, float[] u, int count) {
      for (int i = 0; i < count; i++) {
        dx[i] = w[i] * dx[i] + u[i] * q[i];
      }
    }

    private static void times(float[] w, float[] x, int count) {
      for (int i = 0; i < count; i++) {
        w[i] = w[i] * x[i];
      }
    }

    /** Adds w to one sum and w x to the other; w becomes w x². */
    private static void sum(float[] w, float[] x, float[] one, float[] other, int count) {
      for (int i = 0; i < count; i++) {
        float value = w[i];
        one[i] += value;
        float next = value * x[i];
        other[i] += next;
        w[i] = next * x[i];
      }
    }
  }

  // ---- Sharing out

  /** What is done to elements from {@code start} on. */
  @FunctionalInterface
  private interface Part {
    void run(long start, int count);
  }

  private static int lanes(long elements) {
    return elements < 2 * SMALLEST_SHARE || Engine.threads() == 1 ? 1 : Lanes.shared().count();
  }

  private static void share(long elements, int piece, IntFunction<Part> parts) {
    int lanes = lanes(elements);
    long pieces = (elements + piece - 1) / piece;
    if (lanes == 1) {
      run(parts.apply(0), 0, pieces, piece, elements);
      return;
    }
    Lanes.shared()
        .run(
            lane -> {
              long from = pieces * lane / lanes;
              long to = pieces * (lane + 1) / lanes;
              run(parts.apply(lane), from, to, piece, elements);
            });
  }

  private static void run(Part part, long from, long to, int piece, long elements) {
    for (long i = from; i < to; i++) {
      long start = i * piece;
      part.run(start, (int) Math.min(piece, elements - start));
    }
  }
}
