package dev.jformer.tensor;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;

/**
 * The rational function {@code P(x) / (1 + |Q(x)|)} of each element, with P of degree 5 shared by
 * all channels and Q of degree 4 without a constant, one for each group of neighbouring channels
 * (<a href="https://arxiv.org/abs/2409.10594">Kolmogorov-Arnold Transformer</a>).
 *
 * <p>Composed of operators it takes some twenty passes over memory, and twice as many for its
 * gradients. Here it is one pass each way: {@link Tiling} cuts the tensor into strips that fit the
 * processor's cache, and {@link RationalLoops} compute on arrays.
 *
 * <p>The slope of |Q| where Q is 0 is taken from its right, so that a group whose coefficients are
 * all 0 still has a gradient.
 */
final class Rational {
  static final int NUMERATOR = 6;
  static final int DENOMINATOR = 4;

  /** Rows whose gradients are added up together. */
  private static final int ROWS = 4;

  /** After this many additions, sums of gradients in float32 are added to those in float64. */
  private static final int ADDITIONS = 128;

  /** Whether the processor has fused multiply-add; without it, one takes microseconds. */
  private static final boolean FUSES = fuses();

  private Rational() {}

  private static boolean fuses() {
    HotSpotDiagnosticMXBean vm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    try {
      return vm != null && Boolean.parseBoolean(vm.getVMOption("UseFMA").getValue());
    } catch (IllegalArgumentException e) {
      return false; // a JVM of another kind
    }
  }

  static Tensor apply(Tensor x, Tensor numerator, Tensor denominator) {
    if (!FUSES
        || Autograd.isTwice()
        || x.elements() > Integer.MAX_VALUE
        || !suits(x)
        || !suits(numerator)
        || !suits(denominator)) {
      return composed(x, numerator, denominator);
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
    return x.dtype() == DType.FLOAT32 && x.isOnHost();
  }

  /** The same computed by libtorch's operators, for other types and devices. */
  static Tensor composed(Tensor x, Tensor numerator, Tensor denominator) {
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

  // ---- Coefficients

  /** The coefficients, those of the denominators spread over the columns of each strip. */
  private static final class Coefficients {
    final Tiling strips;
    final float[] a;

    /** Coefficients of Q by strip, power and column. */
    final float[][][] b;

    private final int channels;
    private final int groups;

    Coefficients(Tensor x, Tensor numerator, Tensor denominator) {
      channels = Math.toIntExact(x.size(-1));
      groups = Math.toIntExact(denominator.size(0));
      strips = new Tiling(x.elements(), channels);
      a = numerator.toFloats();
      b = new float[strips.count()][DENOMINATOR][];
      float[] all = denominator.toFloats();
      for (int strip = 0; strip < b.length; strip++) {
        for (int k = 0; k < DENOMINATOR; k++) {
          b[strip][k] = new float[strips.length(strip)];
          for (int i = 0; i < b[strip][k].length; i++) {
            b[strip][k][i] = all[group(strip, i) * DENOMINATOR + k];
          }
        }
      }
    }

    int group(int strip, int i) {
      return (strips.column(strip) + i) % channels / (channels / groups);
    }
  }

  // ---- Forward

  private static Tensor forward(Tensor given, Tensor numerator, Tensor denominator) {
    Tensor x = given.contiguous();
    Tensor y = Tensor.onHost(DType.FLOAT32, x.shape().toArray());
    if (x.elements() == 0) {
      return y;
    }
    Coefficients c = new Coefficients(x, numerator, denominator);
    FloatPointer in = new FloatPointer(x.torch().data_ptr());
    FloatPointer out = new FloatPointer(y.torch().data_ptr());
    c.strips.share(
        lane -> {
          FloatBuffer from = in.capacity(x.elements()).asBuffer();
          FloatBuffer to = out.capacity(x.elements()).asBuffer();
          return (strip, first, end) -> forward(c, strip, first, end, from, to);
        });
    return y;
  }

  private static void forward(
      Coefficients c, int strip, long first, long end, FloatBuffer from, FloatBuffer to) {
    int length = c.strips.length(strip);
    float[][] b = c.b[strip];
    float[] x = new float[length];
    float[] y = new float[length];
    float[] q = new float[length];
    for (long row = first; row < end; row++) {
      c.strips.read(from, row, strip, x);
      RationalLoops.denominator(x, q, b[0], b[1], b[2], b[3]);
      RationalLoops.divide(x, q, y, c.a);
      c.strips.write(to, row, strip, y);
    }
  }

  // ---- Backward

  private static List<Tensor> backward(Tensor gradient, List<Tensor> operands) {
    Tensor x = operands.get(0).contiguous();
    Tensor g = gradient.contiguous();
    Tensor dx = Tensor.onHost(DType.FLOAT32, x.shape().toArray());
    Coefficients c = new Coefficients(x, operands.get(1), operands.get(2));
    double[] da = new double[NUMERATOR];
    double[] db = new double[c.groups * DENOMINATOR];
    if (x.elements() > 0) {
      FloatPointer in = new FloatPointer(x.torch().data_ptr());
      FloatPointer weights = new FloatPointer(g.torch().data_ptr());
      FloatPointer out = new FloatPointer(dx.torch().data_ptr());
      Sums[][] sums = new Sums[c.strips.lanes()][c.strips.count()];
      c.strips.share(
          lane -> {
            FloatBuffer from = in.capacity(x.elements()).asBuffer();
            FloatBuffer by = weights.capacity(x.elements()).asBuffer();
            FloatBuffer to = out.capacity(x.elements()).asBuffer();
            return (strip, first, end) -> {
              Slopes slopes = new Slopes(c, strip);
              for (long row = first; row < end; row += ROWS) {
                slopes.differentiate(row, (int) Math.min(ROWS, end - row), from, by, to);
              }
              sums[lane][strip] = slopes.sums;
            };
          });
      for (Sums[] lane : sums) {
        for (int strip = 0; strip < lane.length; strip++) {
          lane[strip].addTo(da, db, c, strip);
        }
      }
    }
    return List.of(
        dx,
        Tensor.of(da, NUMERATOR).to(DType.FLOAT32),
        Tensor.of(db, c.groups, DENOMINATOR).to(DType.FLOAT32));
  }

  /** Gradients of a strip. */
  private static final class Slopes {
    final Sums sums;
    private final Coefficients c;
    private final int strip;

    /** Rows of elements. */
    private final float[][] x;

    /** Rows of gradients: of the results, then of P. */
    private final float[][] w;

    /** Rows of gradients of Q. */
    private final float[][] u;

    private final float[][] dx;
    private final float[] q;
    private final float[] r;

    Slopes(Coefficients c, int strip) {
      int length = c.strips.length(strip);
      this.sums = new Sums(length);
      this.c = c;
      this.strip = strip;
      this.x = new float[ROWS][length];
      this.w = new float[ROWS][length];
      this.u = new float[ROWS][length];
      this.dx = new float[ROWS][length];
      this.q = new float[length];
      this.r = new float[length];
    }

    void differentiate(long row, int count, FloatBuffer from, FloatBuffer by, FloatBuffer to) {
      // One tensor after the other, so that the processor's prefetching works.
      for (int i = 0; i < count; i++) {
        c.strips.read(from, row + i, strip, x[i]);
      }
      for (int i = 0; i < count; i++) {
        c.strips.read(by, row + i, strip, w[i]);
      }
      for (int i = 0; i < count; i++) {
        differentiate(x[i], w[i], u[i], dx[i]);
      }
      for (int i = 0; i < count; i++) {
        c.strips.write(to, row + i, strip, dx[i]);
      }
      for (int i = count; i < ROWS; i++) {
        Arrays.fill(w[i], 0);
        Arrays.fill(u[i], 0);
      }
      sums.add(x, w, u);
    }

    private void differentiate(float[] x, float[] w, float[] u, float[] dx) {
      float[][] b = c.b[strip];
      RationalLoops.denominator(x, q, b[0], b[1], b[2], b[3]);
      RationalLoops.invert(q, r);
      RationalLoops.ofNumerator(q, r, w);
      RationalLoops.ofDenominator(x, q, r, w, u, c.a);
      RationalLoops.slopeOfDenominator(x, q, b[0], b[1], b[2], b[3]);
      RationalLoops.slope(x, w, u, q, dx, c.a);
    }
  }

  /** Sums over rows of each coefficient's gradient, for each column of a strip. */
  private static final class Sums {
    private final float[][] small;
    private final double[][] large;
    private int additions;

    Sums(int length) {
      small = new float[NUMERATOR + DENOMINATOR][length];
      large = new double[NUMERATOR + DENOMINATOR][length];
    }

    void add(float[][] x, float[][] w, float[][] u) {
      for (int i = 0; i < ROWS; i += 2) {
        RationalLoops.add0(small[0], w[i], w[i + 1]);
        RationalLoops.add1(small[1], w[i], x[i], w[i + 1], x[i + 1]);
        RationalLoops.add2(small[2], w[i], x[i], w[i + 1], x[i + 1]);
        RationalLoops.add3(small[3], w[i], x[i], w[i + 1], x[i + 1]);
        RationalLoops.add4(small[4], w[i], x[i], w[i + 1], x[i + 1]);
        RationalLoops.add5(small[5], w[i], x[i], w[i + 1], x[i + 1]);
        RationalLoops.add1(small[6], u[i], x[i], u[i + 1], x[i + 1]);
        RationalLoops.add2(small[7], u[i], x[i], u[i + 1], x[i + 1]);
        RationalLoops.add3(small[8], u[i], x[i], u[i + 1], x[i + 1]);
        RationalLoops.add4(small[9], u[i], x[i], u[i + 1], x[i + 1]);
      }
      if (++additions == ADDITIONS) {
        flush();
      }
    }

    private void flush() {
      for (int k = 0; k < small.length; k++) {
        float[] from = small[k];
        double[] to = large[k];
        for (int i = 0; i < from.length; i++) {
          to[i] += from[i];
          from[i] = 0;
        }
      }
      additions = 0;
    }

    void addTo(double[] da, double[] db, Coefficients c, int strip) {
      flush();
      for (int k = 0; k < NUMERATOR; k++) {
        da[k] += Arrays.stream(large[k]).sum();
      }
      for (int k = 0; k < DENOMINATOR; k++) {
        double[] values = large[NUMERATOR + k];
        for (int i = 0; i < values.length; i++) {
          db[c.group(strip, i) * DENOMINATOR + k] += values[i];
        }
      }
    }
  }
}
