package dev.jformer.tensor;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(Scoped.class)
class TensorTest {
  private static Tensor doubles(long... shape) {
    return Tensor.empty(DType.FLOAT64, shape).normal_(0, 1);
  }

  // ---- Making and reading

  @Test
  void valuesGoInAndComeOut() {
    assertArrayEquals(new float[] {1, -2.5f}, Tensor.of(new float[] {1, -2.5f}).toFloats());
    assertArrayEquals(new double[] {1e-300, 2}, Tensor.of(new double[] {1e-300, 2}).toDoubles());
    long[] longs = {Long.MIN_VALUE, 0, Long.MAX_VALUE};
    assertArrayEquals(longs, Tensor.of(longs).toLongs());
    int[] ints = {Integer.MIN_VALUE, 7};
    assertArrayEquals(ints, Tensor.of(ints).toInts());
    byte[] bytes = {-128, 0, 127};
    assertArrayEquals(bytes, Tensor.of(bytes).toBytes());
    assertArrayEquals(new int[] {1, 0, 1}, Tensor.of(new boolean[] {true, false, true}).toInts());
    assertEquals("[2x3]", Tensor.of(new int[6], 2, 3).shape().toString());
    assertEquals("[]", Tensor.scalar(3).shape().toString());
    assertEquals("[1]", Tensor.of(new long[] {3}).shape().toString(), "an array makes a vector");
    assertEquals(0, Tensor.of(new float[0]).elements());
    assertEquals(0, Tensor.zeros(3, 0).toFloats().length);
    assertArrayEquals(new long[] {-2, -1, 0, 1}, Tensor.arange(-2, 2).toLongs());
    assertArrayEquals(new double[] {7, 7}, Tensor.full(7, DType.INT16, 2).toDoubles());
    assertEquals(4, Tensor.ones(2, 2).sum().item());
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void everyTypeConvertsAndKnowsItsSize(DType dtype) {
    double[] values = {0, 1, 1, 0, 1};
    Tensor tensor = Tensor.of(values).to(dtype);
    assertEquals(dtype, tensor.dtype());
    assertArrayEquals(values, tensor.toDoubles());
    assertArrayEquals(new float[] {0, 1, 1, 0, 1}, tensor.toFloats());
    assertArrayEquals(new long[] {0, 1, 1, 0, 1}, tensor.toLongs());
    assertArrayEquals(new int[] {0, 1, 1, 0, 1}, tensor.toInts());
    assertEquals(5 * dtype.bytes(), tensor.toBytes().length);
    assertEquals(1, tensor.select(0, 1).item());
    assertEquals(1, tensor.select(0, 1).itemLong());
    assertTrue(tensor.toString().startsWith(dtype.name().toLowerCase(java.util.Locale.ROOT)));
  }

  @Test
  void lowPrecisionRoundsToTheNearestEven() {
    // bfloat16 has 8 bits of precision: from 256 on only even integers, ties to even.
    assertArrayEquals(
        new double[] {255, 256, 260, 1, -0.10009765625},
        Tensor.of(new double[] {255, 257, 259, 1 + 1.0 / 256, -0.1})
            .to(DType.BFLOAT16)
            .toDoubles());
    float[] drawn = Tensor.randn(1000).mul(1e30).toFloats();
    float[] rounded = Tensor.of(drawn).to(DType.BFLOAT16).toFloats();
    for (int i = 0; i < drawn.length; i++) {
      int bits = Float.floatToRawIntBits(drawn[i]);
      int nearest = (bits + 0x7FFF + ((bits >>> 16) & 1)) & 0xFFFF0000;
      assertEquals(Float.intBitsToFloat(nearest), rounded[i]);
    }
    // float16 has 11 bits and ends at 65504.
    assertArrayEquals(
        new double[] {2048, 2052, 65504, Double.POSITIVE_INFINITY, -0.0999755859375},
        Tensor.of(new double[] {2049, 2051, 65504, 70000, -0.1}).to(DType.FLOAT16).toDoubles());
    // The upper half of a float32's bits.
    byte[] bytes = Tensor.of(new float[] {1.5f}).to(DType.BFLOAT16).toBytes();
    assertArrayEquals(new byte[] {(byte) 0xC0, 0x3F}, bytes);
    assertEquals(-1, Tensor.of(new double[] {255}, 1).to(DType.UINT8).viewAs(DType.INT8).item());
    assertEquals(
        (1 << 16) - 1, Tensor.of(new int[] {-1}).viewAs(DType.UINT16).select(0, 0).itemLong());
  }

  @Test
  void propertiesAreThoseOfTheTensor() {
    Tensor x = Tensor.zeros(DType.INT32, 2, 3, 4);
    assertEquals(Shape.of(2, 3, 4), x.shape());
    assertEquals(3, x.rank());
    assertEquals(24, x.elements());
    assertEquals(4, x.size(-1));
    assertEquals(4, x.shape().size(-1));
    assertEquals(Device.CPU, x.device());
    assertTrue(x.isContiguous());
    assertFalse(x.transpose(0, 1).isContiguous());
    assertTrue(x.transpose(0, 1).contiguous().isContiguous());
    assertEquals("int32[2x3x4]", x.toString());
    assertEquals("int64[2] [0.0, 1.0]", Tensor.arange(0, 2).toString());
  }

  @Test
  void copiesHaveTheirOwnMemoryAndViewsShareIt() {
    Tensor x = Tensor.zeros(2, 2);
    Tensor copy = x.copy();
    Tensor view = x.select(0, 0);
    Tensor same = x.to(DType.FLOAT32);
    x.fill_(5);
    assertEquals(0, copy.sum().item());
    assertEquals(10, view.sum().item());
    assertEquals(20, same.sum().item());
    view.copy_(Tensor.of(new long[] {1, 2}));
    assertArrayEquals(new double[] {1, 2, 5, 5}, x.toDoubles());
  }

  // ---- Element by element

  @Test
  void unaryFunctionsMatchJavas() {
    Map<String, UnaryOperator<Tensor>> functions =
        Map.ofEntries(
            Map.entry("neg", Tensor::neg),
            Map.entry("square", Tensor::square),
            Map.entry("abs", Tensor::abs),
            Map.entry("exp", Tensor::exp),
            Map.entry("log", x -> x.abs().log()),
            Map.entry("sqrt", x -> x.abs().sqrt()),
            Map.entry("rsqrt", x -> x.abs().rsqrt()),
            Map.entry("reciprocal", Tensor::reciprocal),
            Map.entry("sin", Tensor::sin),
            Map.entry("cos", Tensor::cos),
            Map.entry("tanh", Tensor::tanh),
            Map.entry("erf", Tensor::erf),
            Map.entry("sigmoid", Tensor::sigmoid),
            Map.entry("relu", Tensor::relu),
            Map.entry("sign", Tensor::sign),
            Map.entry("round", Tensor::round),
            Map.entry("floor", Tensor::floor),
            Map.entry("pow", x -> x.abs().pow(1.7)),
            Map.entry("clamp", x -> x.clamp(-0.5, 0.25)),
            Map.entry("add", x -> x.add(1.5)),
            Map.entry("sub", x -> x.sub(1.5)),
            Map.entry("mul", x -> x.mul(-3)),
            Map.entry("div", x -> x.div(7)),
            Map.entry("elu", Functional::elu),
            Map.entry("softplus", Functional::softplus),
            Map.entry("leakyRelu", x -> Functional.leakyRelu(x, 0.1)));
    double[] values = doubles(60).mul(3).toDoubles();
    values[0] = 0.5;
    values[1] = 1.5;
    values[2] = -2.5;
    functions.forEach(
        (name, function) ->
            assertClose(
                Arrays.stream(values).map(unary(name)).toArray(),
                function.apply(Tensor.of(values)),
                1e-12,
                name));
  }

  private static DoubleUnaryOperator unary(String name) {
    return switch (name) {
      case "neg" -> x -> -x;
      case "square" -> x -> x * x;
      case "abs" -> Math::abs;
      case "exp" -> Math::exp;
      case "log" -> x -> Math.log(Math.abs(x));
      case "sqrt" -> x -> Math.sqrt(Math.abs(x));
      case "rsqrt" -> x -> 1 / Math.sqrt(Math.abs(x));
      case "reciprocal" -> x -> 1 / x;
      case "sin" -> Math::sin;
      case "cos" -> Math::cos;
      case "tanh" -> Math::tanh;
      case "erf" -> Loops::erf;
      case "sigmoid" -> Loops::sigmoid;
      case "relu" -> x -> Math.max(0, x);
      case "sign" -> Math::signum;
      case "round" -> Math::rint;
      case "floor" -> Math::floor;
      case "pow" -> x -> Math.pow(Math.abs(x), 1.7);
      case "clamp" -> x -> Math.min(0.25, Math.max(-0.5, x));
      case "add" -> x -> x + 1.5;
      case "sub" -> x -> x - 1.5;
      case "mul" -> x -> x * -3;
      case "div" -> x -> x / 7;
      case "elu" -> x -> x > 0 ? x : Math.expm1(x);
      case "softplus" -> x -> Math.log1p(Math.exp(x));
      case "leakyRelu" -> x -> x > 0 ? x : 0.1 * x;
      default -> throw new AssertionError(name);
    };
  }

  @Test
  void binaryFunctionsMatchJavasAndBroadcast() {
    check((a, b) -> a + b, Tensor::add);
    check((a, b) -> a - b, Tensor::sub);
    check((a, b) -> a * b, Tensor::mul);
    check((a, b) -> a / b, Tensor::div);
    check((a, b) -> a + 2.5 * b, (a, b) -> a.add(b, 2.5));
    check(Math::max, Tensor::maximum);
    check(Math::min, Tensor::minimum);
    check((a, b) -> a < b ? 1 : 0, Tensor::lt);
    check((a, b) -> a <= b ? 1 : 0, Tensor::le);
    check((a, b) -> a > b ? 1 : 0, Tensor::gt);
    check((a, b) -> a >= b ? 1 : 0, Tensor::ge);
    check((a, b) -> a == b ? 1 : 0, Tensor::eq);
    check((a, b) -> a > 0 && b > 0 ? 1 : 0, (a, b) -> a.gt(0).and(b.gt(0)));
    check((a, b) -> a > 0 || b > 0 ? 1 : 0, (a, b) -> a.gt(0).or(b.gt(0)));
    check((a, b) -> a > 0 ? a : b, (a, b) -> a.where(a.gt(0), b));
    check((a, b) -> a + b, (a, b) -> a.expand(3, 4, 5).copy().add_(b));
    check((a, b) -> a * b, (a, b) -> a.expand(3, 4, 5).copy().mul_(b));
    check((a, b) -> a / b, (a, b) -> a.expand(3, 4, 5).copy().div_(b));
    check((a, b) -> a - 3 * b, (a, b) -> a.expand(3, 4, 5).copy().add_(b, -3));
    check((a, b) -> a + 0.25 * (b - a), (a, b) -> lerp(a.expand(3, 4, 5).copy(), b));
  }

  private static Tensor lerp(Tensor a, Tensor b) {
    return a.lerp_(b.expand(3, 4, 5), 0.25);
  }

  /** On operands [4 x 1] and [3 x 1 x 5], some of their values equal. */
  private static void check(
      DoubleBinaryOperator expected, java.util.function.BinaryOperator<Tensor> actual) {
    Tensor a = doubles(4, 1);
    Tensor b = doubles(3, 1, 5);
    b.select(0, 0).copy_(a.select(0, 2));
    double[] x = a.toDoubles();
    double[] y = b.toDoubles();
    double[] z = new double[60];
    for (int i = 0; i < 60; i++) {
      z[i] = expected.applyAsDouble(x[i / 5 % 4], y[i / 20 * 5 + i % 5]);
    }
    Tensor result = actual.apply(a, b);
    assertEquals("[3x4x5]", result.shape().toString());
    assertClose(z, result, 1e-14);
  }

  @Test
  void comparisonsWithNumbers() {
    Tensor x = Tensor.of(new int[] {-1, 0, 1});
    assertArrayEquals(new int[] {0, 1, 0}, x.eq(0).toInts());
    assertArrayEquals(new int[] {1, 0, 0}, x.lt(0).toInts());
    assertArrayEquals(new int[] {1, 1, 0}, x.le(0).toInts());
    assertArrayEquals(new int[] {0, 0, 1}, x.gt(0).toInts());
    assertArrayEquals(new int[] {0, 1, 1}, x.ge(0).toInts());
    assertArrayEquals(new int[] {1, 0, 0}, x.ge(0).not().toInts());
    assertTrue(x.any());
    assertFalse(x.all());
    assertTrue(x.sameAs(x.copy()));
    assertFalse(x.sameAs(Tensor.of(new int[] {-1, 0})));
    double inf = Double.POSITIVE_INFINITY;
    assertArrayEquals(
        new int[] {1, 0, 0, 0},
        Tensor.of(new double[] {1, inf, -inf, Double.NaN}).isFinite().toInts());
  }

  @Test
  void integersStayExact() {
    long big = (1L << 53) + 1;
    Tensor x = Tensor.of(new long[] {big, 1});
    assertArrayEquals(new long[] {big + 1, 2}, x.add(1).toLongs());
    assertArrayEquals(new long[] {big - 1, 0}, x.sub(1).toLongs());
    assertArrayEquals(new long[] {3 * big, 3}, x.mul(3).toLongs());
    assertEquals(DType.INT64, x.add(1).dtype());
    assertEquals(DType.FLOAT32, x.add(1.0).dtype());
    assertEquals(DType.FLOAT64, Tensor.of(new double[] {1}).mul(3).dtype());
    assertArrayEquals(new int[] {1, 0}, x.eq(big).toInts());
    assertArrayEquals(new int[] {0, 0}, x.eq(big - 1).toInts());
    assertArrayEquals(new int[] {0, 0}, x.gt(big).toInts());
    assertArrayEquals(new int[] {1, 0}, x.gt(big - 1).toInts());
    assertArrayEquals(new int[] {0, 1}, x.lt(big).toInts());
    assertArrayEquals(new int[] {1, 0}, x.ge(big).toInts());
    assertArrayEquals(new int[] {0, 1}, x.le(big - 1).toInts());
    assertArrayEquals(new long[] {2 * big + 2, 4}, x.copy().add_(1).mul_(2).toLongs());
  }

  @Test
  void integerDivisionRoundsDown() {
    Tensor x = Tensor.of(new long[] {-7, -6, -1, 0, 1, 6, 7});
    long[] quotients = new long[7];
    long[] remainders = new long[7];
    for (int i = 0; i < 7; i++) {
      quotients[i] = Math.floorDiv(x.toLongs()[i], 3L);
      remainders[i] = Math.floorMod(x.toLongs()[i], 3L);
    }
    assertArrayEquals(quotients, x.floorDiv(3).toLongs());
    assertArrayEquals(remainders, x.remainder(3).toLongs());
  }

  // ---- Reductions

  @Test
  void reductionsMatchLoops() {
    double[][] x = rows(doubles(5, 7));
    Tensor t = Tensor.of(dev.jformer.testing.Close.flat(x), 5, 7);
    reduces(x, t.sum(1, false), row -> Arrays.stream(row).sum());
    reduces(x, t.mean(-1, false), row -> Arrays.stream(row).average().getAsDouble());
    reduces(x, t.max(1, false), row -> Arrays.stream(row).max().getAsDouble());
    reduces(x, t.min(1, false), row -> Arrays.stream(row).min().getAsDouble());
    reduces(x, t.logSumExp(1, false), Loops::logSumExp);
    reduces(
        x,
        t.variance(1, false),
        row -> {
          double mean = Arrays.stream(row).average().getAsDouble();
          return Arrays.stream(row).map(v -> (v - mean) * (v - mean)).average().getAsDouble();
        });
    reduces(
        x,
        t.argmax(1).to(DType.FLOAT64),
        row -> {
          int best = 0;
          for (int i = 1; i < row.length; i++) {
            best = row[i] > row[best] ? i : best;
          }
          return best;
        });
    double[] all = t.toDoubles();
    assertEquals(Arrays.stream(all).sum(), t.sum().item(), 1e-12);
    assertEquals(Arrays.stream(all).average().getAsDouble(), t.mean().item(), 1e-12);
    assertEquals(Arrays.stream(all).max().getAsDouble(), t.max().item());
    assertEquals(Arrays.stream(all).min().getAsDouble(), t.min().item());
    assertEquals(Math.sqrt(Arrays.stream(all).map(v -> v * v).sum()), t.norm().item(), 1e-12);
    assertEquals("[5x1]", t.sum(1, true).shape().toString());
    assertEquals("[1x7]", t.max(0, true).shape().toString());
    assertClose(Arrays.stream(x).map(Loops::softmax).toArray(double[][]::new), t.softmax(1), 1e-12);
    assertClose(
        Arrays.stream(x)
            .map(row -> Arrays.stream(row).map(v -> v - Loops.logSumExp(row)).toArray())
            .toArray(double[][]::new),
        t.logSoftmax(1),
        1e-12);
    double[][] sums = rows(t);
    for (double[] row : sums) {
      for (int i = 1; i < row.length; i++) {
        row[i] += row[i - 1];
      }
    }
    assertClose(sums, t.cumsum(1), 1e-12);
  }

  private static void reduces(double[][] x, Tensor actual, ToDoubleFunction<double[]> expected) {
    assertClose(Arrays.stream(x).mapToDouble(expected).toArray(), actual, 1e-12);
  }

  private static double[][] rows(Tensor x) {
    int columns = (int) x.size(1);
    double[] flat = x.toDoubles();
    double[][] rows = new double[flat.length / columns][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Arrays.copyOfRange(flat, i * columns, (i + 1) * columns);
    }
    return rows;
  }

  @Test
  void rankingsMatchASort() {
    Tensor x = doubles(3, 9);
    Tensor.Ranked top = x.topK(4, 1);
    Tensor.Ranked down = x.sort(1, true);
    Tensor.Ranked up = x.sort(-1, false);
    for (int r = 0; r < 3; r++) {
      double[] row = rows(x)[r];
      double[] sorted = row.clone();
      Arrays.sort(sorted);
      assertArrayEquals(sorted, rows(up.values())[r]);
      for (int i = 0; i < 9; i++) {
        assertEquals(sorted[8 - i], rows(down.values())[r][i]);
        assertEquals(sorted[i], row[(int) rows(up.indices())[r][i]]);
        if (i < 4) {
          assertEquals(sorted[8 - i], rows(top.values())[r][i]);
          assertEquals(sorted[8 - i], row[(int) rows(top.indices())[r][i]]);
        }
      }
    }
    assertEquals(DType.INT64, top.indices().dtype());
    Tensor ties = Tensor.of(new int[] {1, 0, 1, 0, 1});
    assertArrayEquals(new long[] {1, 3, 0, 2, 4}, ties.sort(0, false).indices().toLongs());
    assertArrayEquals(new long[] {0, 2, 4, 1, 3}, ties.sort(0, true).indices().toLongs());
  }

  // ---- Linear algebra

  @Test
  void productsMatchLoops() {
    Tensor a = doubles(2, 3, 4);
    Tensor b = doubles(4, 5);
    double[] x = a.toDoubles();
    double[] y = b.toDoubles();
    double[] z = new double[30];
    for (int i = 0; i < 6; i++) {
      for (int j = 0; j < 5; j++) {
        for (int k = 0; k < 4; k++) {
          z[i * 5 + j] += x[i * 4 + k] * y[k * 5 + j];
        }
      }
    }
    assertClose(Tensor.of(z, 2, 3, 5), a.matmul(b), 1e-12);
    assertClose(Tensor.of(z, 2, 3, 5), Tensor.einsum("bij,jk->bik", a, b), 1e-12);
    assertClose(Tensor.of(z, 2, 3, 5), Functional.linear(a, b.t(), null), 1e-12);
    double[] traces = new double[2];
    for (int i = 0; i < 24; i++) {
      traces[i / 12] += x[i] * x[i];
    }
    assertClose(traces, Tensor.einsum("bij,bij->b", a, a), 1e-12);
  }

  @Test
  void integerProductsAreExact() {
    Tensor a = Tensor.randint(-100, 100, 3, 4);
    Tensor b = Tensor.randint(-100, 100, 4, 2);
    long[] x = a.toLongs();
    long[] y = b.toLongs();
    long[] z = new long[6];
    for (int i = 0; i < 24; i++) {
      z[i / 8 * 2 + i % 2] += x[i / 8 * 4 + i / 2 % 4] * y[i / 2 % 4 * 2 + i % 2];
    }
    assertArrayEquals(z, a.matmul(b).toLongs());
  }

  @Test
  void convolutionsMatchLoops() {
    Tensor x = doubles(2, 4, 9);
    Tensor weight = doubles(6, 2, 3);
    Tensor bias = doubles(6);
    Tensor y = Functional.conv1d(x, weight, bias, 2, 2, 2, 2);
    int length = (9 + 2 * 2 - 2 * 2 - 1) / 2 + 1;
    double[] in = x.toDoubles();
    double[] w = weight.toDoubles();
    double[] expected = new double[2 * 6 * length];
    for (int b = 0; b < 2; b++) {
      for (int o = 0; o < 6; o++) {
        for (int t = 0; t < length; t++) {
          double sum = bias.toDoubles()[o];
          for (int c = 0; c < 2; c++) {
            for (int k = 0; k < 3; k++) {
              int s = t * 2 - 2 + k * 2;
              if (s >= 0 && s < 9) {
                sum += in[(b * 4 + o / 3 * 2 + c) * 9 + s] * w[(o * 2 + c) * 3 + k];
              }
            }
          }
          expected[(b * 6 + o) * length + t] = sum;
        }
      }
    }
    assertClose(Tensor.of(expected, 2, 6, length), y, 1e-12);
  }

  // ---- Shapes and indices: every element is its own number

  private static Tensor numbered(long... shape) {
    return Tensor.arange(0, Shape.of(shape).elements()).reshape(shape);
  }

  @Test
  void shapesChangeAsTheySay() {
    Tensor x = numbered(2, 3);
    same(x.reshape(3, -1), "[3x2]", 0, 1, 2, 3, 4, 5);
    same(x.view(6), "[6]", 0, 1, 2, 3, 4, 5);
    same(x.t(), "[3x2]", 0, 3, 1, 4, 2, 5);
    same(numbered(2, 1, 3).permute(2, 0, 1), "[3x2x1]", 0, 3, 1, 4, 2, 5);
    same(numbered(2, 1, 3).transpose(0, 2), "[3x1x2]", 0, 3, 1, 4, 2, 5);
    same(x.flatten(0, 1), "[6]", 0, 1, 2, 3, 4, 5);
    same(numbered(6).unflatten(0, 2, 3), "[2x3]", 0, 1, 2, 3, 4, 5);
    same(x.unsqueeze(1), "[2x1x3]", 0, 1, 2, 3, 4, 5);
    same(x.unsqueeze(1).squeeze(1), "[2x3]", 0, 1, 2, 3, 4, 5);
    same(numbered(2, 1).expand(-1, 2), "[2x2]", 0, 0, 1, 1);
    same(numbered(2).repeat(2, 2), "[2x4]", 0, 1, 0, 1, 0, 1, 0, 1);
    same(x.repeatInterleave(2, 0), "[4x3]", 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5);
    same(x.narrow(1, 1, 2), "[2x2]", 1, 2, 4, 5);
    same(x.select(1, -1), "[2]", 2, 5);
    same(x.flip(1), "[2x3]", 2, 1, 0, 5, 4, 3);
    same(x.roll(1, 1), "[2x3]", 2, 0, 1, 5, 3, 4);
    same(x.tril(0), "[2x3]", 0, 0, 0, 3, 4, 0);
    same(x.triu(1), "[2x3]", 0, 1, 2, 0, 0, 5);
    same(Tensor.cat(1, x, x.narrow(1, 0, 1)), "[2x4]", 0, 1, 2, 0, 3, 4, 5, 3);
    same(Tensor.stack(1, x, x.mul(10)), "[2x2x3]", 0, 1, 2, 0, 10, 20, 3, 4, 5, 30, 40, 50);
    same(x.chunk(3, 1).get(1), "[2x1]", 1, 4);
    List<Tensor> parts = x.split(1, 1, 2);
    assertEquals(2, parts.size());
    same(parts.get(1), "[2x2]", 1, 2, 4, 5);
    same(Functional.pad(x, 9, 1, 0, 0, 1), "[3x4]", 9, 0, 1, 2, 9, 3, 4, 5, 9, 9, 9, 9);
  }

  @Test
  void indicesPickAndPlace() {
    Tensor x = numbered(2, 3);
    Tensor one = Tensor.of(new long[] {2, 0}, 2, 1);
    same(x.gather(1, one), "[2x1]", 2, 3);
    same(x.indexSelect(1, Tensor.of(new long[] {2, 2, 0})), "[2x3]", 2, 2, 0, 5, 5, 3);
    Tensor source = Tensor.of(new long[] {70, 80}, 2, 1);
    same(x.scatter(1, one, source), "[2x3]", 0, 1, 70, 80, 4, 5);
    same(x.scatter(1, one, -1), "[2x3]", 0, 1, -1, -1, 4, 5);
    same(x.scatterAdd(1, one, source), "[2x3]", 0, 1, 72, 83, 4, 5);
    same(x, "[2x3]", 0, 1, 2, 3, 4, 5);
    same(x.maskedFill(x.gt(3), 0), "[2x3]", 0, 1, 2, 3, 0, 0);
    Tensor rows = Tensor.of(new long[] {1, 1});
    same(x.copy().indexAdd_(0, rows, x), "[2x3]", 0, 1, 2, 6, 9, 12);
    same(x.copy().indexCopy_(0, Tensor.of(new long[] {1, 0}), x), "[2x3]", 3, 4, 5, 0, 1, 2);
    same(x.copy().maskedFill_(x.lt(2), 7), "[2x3]", 7, 7, 2, 3, 4, 5);
    same(Functional.embedding(rows, x), "[2x3]", 3, 4, 5, 3, 4, 5);
  }

  private static void same(Tensor actual, String shape, long... expected) {
    assertEquals(shape, actual.shape().toString());
    assertArrayEquals(expected, actual.toLongs());
  }

  @Test
  void inPlaceOperatorsChangeTheTensorItself() {
    Tensor x = Tensor.of(new double[] {1, 2});
    assertTrue(x == x.add_(1).mul_(2));
    assertArrayEquals(new double[] {4, 6}, x.toDoubles());
    assertArrayEquals(new double[] {0, 0}, x.zero_().toDoubles());
  }

  // ---- Losses

  @Test
  void crossEntropyMatchesItsDefinition() {
    Tensor logits = doubles(4, 6);
    long[] targets = {5, -1, 0, 2};
    double smoothing = 0.1;
    double sum = 0;
    double smoothed = 0;
    double[] each = new double[4];
    for (int i = 0; i < 4; i++) {
      if (targets[i] >= 0) {
        double[] row = rows(logits)[i];
        double lse = Loops.logSumExp(row);
        each[i] = lse - row[(int) targets[i]];
        sum += each[i];
        double uniform = Arrays.stream(row).map(v -> lse - v).average().getAsDouble();
        smoothed += (1 - smoothing) * each[i] + smoothing * uniform;
      }
    }
    Tensor y = Tensor.of(targets);
    assertEquals(sum / 3, Functional.crossEntropy(logits, y, -1, 0).item(), 1e-12);
    assertEquals(smoothed / 3, Functional.crossEntropy(logits, y, -1, smoothing).item(), 1e-12);
    assertClose(each, Functional.crossEntropyEach(logits, y, -1), 1e-12);
    Tensor a = Tensor.of(new double[] {1, 5});
    assertEquals(5, Functional.meanSquaredError(a, Tensor.of(new double[] {2, 2})).item());
  }

  // ---- Gradients

  @Test
  void gradientsFollowTheChainRule() {
    Tensor x = Tensor.of(new double[] {1, 2, 3}).requiresGrad(true);
    assertNull(x.grad());
    Tensor y = x.square().mul(x);
    y.sum().backward();
    assertArrayEquals(new double[] {3, 12, 27}, x.grad().toDoubles(), 1e-12);
    x.exp().backward(Tensor.of(new double[] {0, 0, 1}));
    assertArrayEquals(
        new double[] {3, 12, 27 + Math.exp(3)}, x.grad().toDoubles(), 1e-12, "they add up");
    x.clearGrad();
    assertNull(x.grad());
    assertFalse(x.detach().mul(2).requiresGrad());
  }

  @Test
  void gradientsOfGradients() {
    Tensor x = Tensor.of(new double[] {2}).requiresGrad(true);
    Tensor unused = Tensor.of(new double[] {1}).requiresGrad(true);
    Tensor y = x.pow(3).sum();
    List<Tensor> first = Autograd.grad(y, null, true, x, unused);
    assertEquals(12, first.get(0).item(), 1e-12);
    assertNull(first.get(1));
    assertEquals(
        12,
        Autograd.grad(first.get(0), Tensor.ones(1).to(DType.FLOAT64), false, x).get(0).item(),
        1e-12);
    assertNull(x.grad(), "nothing is accumulated");
  }

  @Test
  void devicesAreReadAndWritten() {
    assertEquals(Device.CPU, Device.parse("cpu"));
    assertEquals(new Device(Device.Type.CUDA, 1), Device.parse("cuda:1"));
    assertEquals("cuda:0", Device.parse("CUDA").toString());
    for (String wrong : List.of("", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:3", "cuda:0:1")) {
      var error =
          org.junit.jupiter.api.Assertions.assertThrows(
              IllegalArgumentException.class, () -> Device.parse(wrong), wrong);
      assertTrue(error.getMessage().contains("'" + wrong + "'"), error.getMessage());
    }
  }
}
