package dev.jformer.nn.shift;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.nn.Foldable;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Projection;
import dev.jformer.nn.shift.ShiftLinear.Arithmetic;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights that are powers of two (DenseShift, arXiv 2208.09708) beside loops over their codes. */
@ExtendWith(Scoped.class)
class ShiftLinearTest {
  static Stream<Arguments> formats() {
    return Stream.of(2, 3, 4)
        .flatMap(bits -> Stream.of(Arguments.of(bits, false), Arguments.of(bits, true)));
  }

  /** Any weights of a format, each code as likely as the other. */
  private static final class Drawn implements ShiftWeight {
    private final byte[] sign;
    private final byte[] shift;
    private final int out;
    private final int in;

    Drawn(byte[] sign, byte[] shift, int out, int in) {
      this.sign = sign;
      this.shift = shift;
      this.out = out;
      this.in = in;
    }

    static Drawn of(int bits, boolean zero, int out, int in) {
      SplittableRandom random = new SplittableRandom(bits);
      byte[] sign = new byte[out * in];
      byte[] shift = new byte[out * in];
      int values = (1 << (bits - 1)) - (zero ? 1 : 0);
      for (int i = 0; i < sign.length; i++) {
        boolean none = zero && random.nextInt(values + 1) == 0;
        sign[i] = (byte) (none ? 0 : 2 * random.nextInt(2) - 1);
        shift[i] = (byte) (none ? 0 : random.nextInt(values));
      }
      return new Drawn(sign, shift, out, in);
    }

    @Override
    public Tensor signs() {
      return Tensor.of(sign, out, in);
    }

    @Override
    public Tensor shifts() {
      return Tensor.of(shift, out, in);
    }

    /** Powers of two, so that scaling rounds nothing. */
    @Override
    public Tensor scales() {
      float[] scales = new float[out];
      for (int o = 0; o < out; o++) {
        scales[o] = (float) Math.pow(2, -o % 5);
      }
      return Tensor.of(scales, out);
    }

    double[][] matrix() {
      double[][] matrix = new double[out][in];
      for (int i = 0; i < sign.length; i++) {
        matrix[i / in][i % in] = sign[i] * Math.pow(2, shift[i]) * Math.pow(2, -(i / in) % 5);
      }
      return matrix;
    }
  }

  private static ShiftLinear layer(Drawn weights, int bits, boolean zero, Arithmetic arithmetic) {
    ShiftLinear layer =
        new ShiftLinear.Config(bits, zero, arithmetic)
            .build(weights.in, weights.out, true, Initializer.zeros());
    layer.fill(weights);
    layer.bias().copyFrom(Tensor.randn(weights.out));
    layer.train(false);
    return layer;
  }

  /** Codes read bit by bit as the file has them. */
  @ParameterizedTest
  @MethodSource("formats")
  void holdsWhatItIsFilledWithInSoManyBits(int bits, boolean zero) {
    Drawn weights = Drawn.of(bits, zero, 7, 13);
    ShiftLinear layer = layer(weights, bits, zero, Arithmetic.FLOATS);
    assertSame(weights.signs(), layer.signs(), "signs");
    assertSame(weights.shifts(), layer.shifts(), "shifts");
    assertSame(weights.scales(), layer.scales(), "scales");
    Tensor codes = layer.parameters().get("codes").value();
    assertEquals((13 * bits + 7) / 8, codes.size(1));
    assertEquals(1, codes.dtype().bytes());
    double[] bytes = codes.to(DType.FLOAT32).toDoubles();
    int width = (int) codes.size(1);
    for (int row = 0; row < 7; row++) {
      for (int i = 0; i < 13; i++) {
        int code = 0;
        for (int b = 0; b < bits; b++) {
          int bit = i * bits + b;
          code += (((int) bytes[row * width + bit / 8] >> (bit % 8)) & 1) << b;
        }
        int at = row * 13 + i;
        int size = zero ? (weights.sign[at] == 0 ? 0 : weights.shift[at] + 1) : weights.shift[at];
        assertEquals((weights.sign[at] < 0 ? 1 << (bits - 1) : 0) + size, code);
      }
    }
    double[] flat = Stream.of(weights.matrix()).flatMapToDouble(Arrays::stream).toArray();
    assertArrayEquals(flat, layer.dequantized().toDoubles(), 0);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void floatsAreMultipliedWithTheMatrix(int bits, boolean zero) {
    Drawn weights = Drawn.of(bits, zero, 7, 13);
    ShiftLinear layer = layer(weights, bits, zero, Arithmetic.FLOATS);
    Tensor x = Tensor.randn(2, 3, 13).to(DType.FLOAT64);
    double[][] rows = rows(x.reshape(-1, 13));
    double[][] expected = Loops.linear(rows, weights.matrix(), layer.bias().value().toDoubles());
    assertClose(
        Stream.of(expected).flatMapToDouble(Arrays::stream).toArray(),
        layer.forward(x).reshape(-1),
        1e-12);
    assertEquals(7 * 13 * 4, layer.derivedBytes());
    layer.scales().mul_(2); // what was made of it is out of date
    Tensor bias = layer.bias().value();
    Tensor half = layer.forward(x).sub(bias).mul(0.5).add(bias).reshape(-1);
    assertClose(Stream.of(expected).flatMapToDouble(Arrays::stream).toArray(), half, 1e-6);
  }

  private static double[][] rows(Tensor matrix) {
    double[] flat = matrix.toDoubles();
    int width = (int) matrix.size(1);
    double[][] rows = new double[flat.length / width][];
    for (int r = 0; r < rows.length; r++) {
      rows[r] = Arrays.copyOfRange(flat, r * width, (r + 1) * width);
    }
    return rows;
  }

  /** Sums of integers, each multiplied: no rounding, so no tolerance. */
  @ParameterizedTest
  @MethodSource("formats")
  void shiftsAndSumsAreTheProductExactly(int bits, boolean zero) {
    Drawn weights = Drawn.of(bits, zero, 9, 70);
    ShiftLinear layer = layer(weights, bits, zero, Arithmetic.SHIFTS);
    SplittableRandom random = new SplittableRandom(3);
    byte[] x = new byte[5 * 70];
    for (int i = 0; i < x.length; i++) {
      x[i] = (byte) (random.nextInt(255) - 127);
    }
    x[0] = 127;
    x[1] = -127;
    int[] sums = layer.product(Tensor.of(x, 5, 70)).toInts();
    for (int t = 0; t < 5; t++) {
      for (int o = 0; o < 9; o++) {
        long sum = 0;
        for (int i = 0; i < 70; i++) {
          long power = 1L << weights.shift[o * 70 + i];
          sum += (long) x[t * 70 + i] * weights.sign[o * 70 + i] * power;
        }
        assertEquals(sum, sums[t * 9 + o]);
      }
    }
  }

  /** Inputs that are integers times a power of two are rounded to themselves. */
  @ParameterizedTest
  @MethodSource("formats")
  void theShiftPathEqualsTheFloatPathToTheBit(int bits, boolean zero) {
    Drawn weights = Drawn.of(bits, zero, 9, 70);
    ShiftLinear shifts = layer(weights, bits, zero, Arithmetic.SHIFTS);
    ShiftLinear floats = layer(weights, bits, zero, Arithmetic.FLOATS);
    floats.bias().copyFrom(shifts.bias().value());
    SplittableRandom random = new SplittableRandom(4);
    float[] x = new float[6 * 70];
    for (int i = 0; i < x.length; i++) {
      x[i] = (random.nextInt(255) - 127) / 64f;
    }
    for (int t = 0; t < 5; t++) { // the last row stays without the largest: its steps are others
      x[t * 70] = 127 / 64f;
    }
    Tensor five = Tensor.of(Arrays.copyOf(x, 350), 5, 70);
    try (Mode mode = Autograd.noGrad()) {
      assertSame(floats.forward(five), shifts.forward(five), "integers");
      assertEquals(0, shifts.derivedBytes());
      // Others are rounded first, and then it is the float path on what they were rounded to.
      Tensor any = Tensor.randn(4, 70).to(DType.FLOAT64);
      Tensor step = any.abs().max(1, true).div(127);
      Tensor rounded = any.div(step).round().mul(step);
      assertClose(floats.forward(rounded), shifts.forward(any), 1e-12);
      Tensor none = Tensor.zeros(1, 70);
      assertSame(shifts.bias().value(), shifts.forward(none).reshape(-1), "zeros");
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void roundsToTheNearestOfItsNumbers(int bits, boolean zero) {
    ShiftLinear layer =
        new ShiftLinear.Config(bits, zero, Arithmetic.FLOATS)
            .build(50, 4, false, Initializer.zeros());
    Tensor weight = Tensor.randn(4, 50);
    layer.quantize(weight);
    double[][] rows = rows(weight.to(DType.FLOAT64));
    double[] made = layer.dequantized().toDoubles();
    double[] scales = layer.scales().toDoubles();
    int values = (1 << (bits - 1)) - (zero ? 1 : 0);
    for (int row = 0; row < 4; row++) {
      double error = 0;
      double best = Double.MAX_VALUE;
      for (int i = 0; i < 50; i++) {
        double nearest = zero ? Math.abs(rows[row][i]) : Double.MAX_VALUE;
        for (int p = 0; p < values; p++) {
          double off = Math.abs(Math.abs(rows[row][i]) - scales[row] * (1 << p));
          nearest = Math.min(nearest, off);
        }
        double off = Math.abs(rows[row][i] - made[row * 50 + i]);
        assertEquals(nearest, off, 1e-6);
        error += off * off;
      }
      for (double scale = 0.01; scale < 4; scale *= 1.01) { // exhaustive search for the scale
        double sum = 0;
        for (int i = 0; i < 50; i++) {
          double nearest = zero ? Math.abs(rows[row][i]) : Double.MAX_VALUE;
          for (int p = 0; p < values; p++) {
            nearest = Math.min(nearest, Math.abs(Math.abs(rows[row][i]) - scale * (1 << p)));
          }
          sum += nearest * nearest;
        }
        best = Math.min(best, sum);
      }
      assertTrue(error < 1.1 * best, error + " with the scale found, " + best + " with the best");
    }
    assertThrows(
        IllegalArgumentException.class, () -> layer.quantize(weight.mul(Double.POSITIVE_INFINITY)));
    layer.quantize(Tensor.zeros(4, 50));
    assertEquals(0, layer.dequantized().abs().max().item());
  }

  @Test
  void refusesWhatItsBitsCannotSay() {
    Drawn four = Drawn.of(4, false, 3, 40);
    ShiftLinear three =
        new ShiftLinear.Config(3, false, Arithmetic.FLOATS)
            .build(40, 3, false, Initializer.zeros());
    var error = assertThrows(IllegalArgumentException.class, () -> three.fill(four));
    assertTrue(error.getMessage().contains("3 bits without zero"), error.getMessage());
    Drawn zero = Drawn.of(3, true, 3, 40);
    assertThrows(IllegalArgumentException.class, () -> three.fill(zero));
    assertFalse(new ShiftLinear.Config().trains());
    assertThrows(UnsupportedOperationException.class, () -> three.forward(Tensor.randn(2, 40)));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new ShiftLinear.Config(4, false, Arithmetic.SHIFTS)
                .build(140_000, 1, false, Initializer.zeros()));
    for (String json :
        new String[] {
          "{'type':'shift','bits':1}",
          "{'type':'denseshift','bits':5}",
          "{'type':'denseshift','deviation':0}",
          "{'type':'shift-rounded','bits':8}"
        }) {
      assertThrows(
          RuntimeException.class,
          () -> Configs.parse(json.replace('\'', '"'), Projection.class),
          json);
    }
  }

  // ---- Training

  private static double[] flat(double[][] rows) {
    return Stream.of(rows).flatMapToDouble(Arrays::stream).toArray();
  }

  /** By the formulas of the authors' code, number by number. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void denseShiftIsSignTimesPowerWithTheGradientOfTheRoot(int bits) {
    int in = 9;
    int out = 6;
    DenseShiftLinear layer =
        new DenseShiftLinear.Config(bits).build(in, out, true, Initializer.normal(0.3));
    Weights.draw(layer);
    layer.parameters().get("sign").value().detach().narrow(0, 0, 1).narrow(1, 0, 1).zero_();
    Weights w = Weights.of(layer);
    double[][] sign = w.matrix("sign");
    double[] latent = w.values().get("shifts");
    double[] scale = w.vector("scale");
    int steps = (1 << (bits - 1)) - 1;
    assertEquals(steps * in * out, latent.length);

    Tensor x = Tensor.randn(4, in).to(DType.FLOAT64).requiresGrad(true);
    Tensor g = Tensor.randn(4, out).to(DType.FLOAT64);
    Tensor y = layer.forward(x);
    y.backward(g);

    double[][] inputs = rows(x.detach());
    double[][] slopes = rows(g);
    double[][] weight = new double[out][in];
    double[][] ofSign = new double[out][in];
    double[] ofShifts = new double[latent.length];
    double[] ofScale = new double[out];
    for (int o = 0; o < out; o++) {
      for (int i = 0; i < in; i++) {
        double[] open = new double[steps];
        double[] before = new double[steps];
        double s = 0;
        for (int k = 0; k < steps; k++) {
          open[k] = latent[(k * out + o) * in + i] > 0 ? 1 : 0;
          before[k] = s + 1;
          s = k == 0 ? open[0] : (s + 1) * open[k];
        }
        before[0] = 1;
        double signed = sign[o][i] >= 0 ? 1 : -1;
        weight[o][i] = scale[o] * signed * Math.pow(2, s);
        double slope = 0;
        for (int t = 0; t < 4; t++) {
          slope += slopes[t][o] * inputs[t][i];
        }
        ofScale[o] += slope * signed * Math.pow(2, s);
        ofSign[o][i] = slope * scale[o] * Math.sqrt(s + 1);
        double ofS = slope * scale[o] * signed / (2 * Math.sqrt(s + 1));
        for (int k = steps - 1; k >= 0; k--) {
          ofShifts[(k * out + o) * in + i] = ofS * before[k];
          ofS *= open[k];
        }
      }
    }
    assertClose(flat(Loops.linear(inputs, weight, w.vector("bias"))), y, 1e-9);
    assertClose(flat(ofSign), layer.parameters().get("sign").value().grad(), 1e-9);
    assertClose(ofShifts, layer.parameters().get("shifts").value().grad(), 1e-9);
    assertClose(ofScale, layer.parameters().get("scale").value().grad(), 1e-9);
    double[][] back = new double[4][in];
    for (int t = 0; t < 4; t++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          back[t][i] += slopes[t][o] * weight[o][i];
        }
      }
    }
    assertClose(flat(back), x.grad(), 1e-9);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void roundingIsToTheNearestWithTheGradientStraightThrough(int bits) {
    RoundedShiftLinear layer =
        new RoundedShiftLinear.Config(bits).build(9, 6, true, Initializer.normal(0.3));
    Weights.draw(layer);
    layer.parameters().get("latent").value().detach().mul_(4);
    Weights w = Weights.of(layer);
    double[][] latent = w.matrix("latent");
    double[] scale = w.vector("scale");
    double step = w.vector("step")[0];
    Tensor x = Tensor.randn(4, 9).to(DType.FLOAT64);
    Tensor g = Tensor.randn(4, 6).to(DType.FLOAT64);
    Tensor y = layer.forward(x);
    y.backward(g);
    double[][] inputs = rows(x);
    double[][] slopes = rows(g);
    double[][] weight = new double[6][9];
    double[][] ofLatent = new double[6][9];
    double[] ofScale = new double[6];
    for (int o = 0; o < 6; o++) {
      for (int i = 0; i < 9; i++) {
        double nearest = 0;
        for (int p = 0; p < (1 << (bits - 1)) - 1; p++) {
          for (int s = -1; s <= 1; s += 2) {
            double value = s * Math.pow(2, p);
            if (Math.abs(latent[o][i] / step - value) < Math.abs(latent[o][i] / step - nearest)) {
              nearest = value;
            }
          }
        }
        weight[o][i] = scale[o] * nearest;
        for (int t = 0; t < 4; t++) {
          double slope = slopes[t][o] * inputs[t][i];
          ofLatent[o][i] += slope * scale[o] / step;
          ofScale[o] += slope * nearest;
        }
      }
    }
    assertClose(flat(Loops.linear(inputs, weight, w.vector("bias"))), y, 1e-9);
    assertClose(flat(ofLatent), layer.parameters().get("latent").value().grad(), 1e-9);
    assertClose(ofScale, layer.parameters().get("scale").value().grad(), 1e-9);
  }

  static Stream<Projection> trained() {
    return Stream.of(2, 3, 4)
        .flatMap(
            bits ->
                Stream.of(new DenseShiftLinear.Config(bits), new RoundedShiftLinear.Config(bits)));
  }

  @ParameterizedTest
  @MethodSource("trained")
  void foldsIntoItsCodesAndStartsWithTheInitializersVariance(Projection part) {
    Layer layer = part.build(200, 60, true, Initializer.normal(0.1));
    layer.parameters().get("bias").copyFrom(Tensor.randn(60));
    layer.train(false);
    ShiftWeight weight = (ShiftWeight) layer;
    ShiftLinear folded = (ShiftLinear) ((Foldable) layer).folded();
    folded.train(false);
    assertEquals(part.folded(), config(part));
    assertSame(weight.signs(), folded.signs(), "signs");
    Tensor x = Tensor.randn(5, 200);
    try (Mode mode = Autograd.noGrad()) {
      assertClose(layer.forward(x), folded.forward(x), 1e-5);
    }
    double deviation = folded.dequantized().norm().item() / Math.sqrt(12_000);
    assertEquals(0.1, deviation, 0.01);
    double bytes = folded.parameters().get("codes").value().elements();
    int bits = part instanceof DenseShiftLinear.Config c ? c.bits() : bitsOf(part);
    assertEquals(12_000 * bits / 8.0, bytes, 60);
    if (part instanceof DenseShiftLinear.Config) {
      assertEquals(1, folded.signs().to(DType.FLOAT32).abs().min().item(), "a weight is zero");
    }
  }

  private static int bitsOf(Projection part) {
    return ((RoundedShiftLinear.Config) part).bits();
  }

  private static ShiftLinear.Config config(Projection part) {
    return part instanceof DenseShiftLinear.Config dense
        ? new ShiftLinear.Config(dense.bits(), false, Arithmetic.FLOATS)
        : new ShiftLinear.Config(bitsOf(part), true, Arithmetic.FLOATS);
  }
}
