package dev.jformer.tensor;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(Scoped.class)
class Int8Test {
  private static Tensor bytes(long... shape) {
    return Tensor.randint(-127, 128, shape).to(DType.INT8);
  }

  private static int[] loops(byte[] x, byte[] w, int rows, int width, int out) {
    int[] result = new int[rows * out];
    for (int m = 0; m < rows; m++) {
      for (int n = 0; n < out; n++) {
        for (int k = 0; k < width; k++) {
          result[m * out + n] += x[m * width + k] * w[n * width + k];
        }
      }
    }
    return result;
  }

  @ParameterizedTest
  @CsvSource({"1,5,3", "1,64,40", "2,7,9", "17,130,33", "64,384,96", "3,1040,5", "3,1041,5"})
  void theProductIsExact(int rows, int width, int out) {
    Tensor x = bytes(rows, width);
    Tensor w = bytes(out, width);
    int[] expected = loops(x.toBytes(), w.toBytes(), rows, width, out);
    assertArrayEquals(expected, Int8.product(x, w).toInts());
    assertArrayEquals(expected, Int8.inFloats(x, w).toInts());
  }

  /** Whatever the number of features; the engine's kernel is wrong for one. */
  @Test
  void everyWidthIsRight() {
    for (int width = 1; width <= 64; width++) {
      for (int rows : new int[] {1, 2, 3, 17}) {
        for (int out : new int[] {1, 5, 33}) {
          String what = rows + "x" + width + " by " + out;
          Tensor x = bytes(rows, width);
          Tensor w = bytes(out, width);
          int[] expected = loops(x.toBytes(), w.toBytes(), rows, width, out);
          assertArrayEquals(expected, Int8.product(x, w).toInts(), what);
          Tensor floats = Tensor.randn(rows, width);
          Tensor scale = Tensor.rand(out).mul(0.01).add(0.001);
          for (Int8.Activations activations : Int8.Activations.values()) {
            double[] defined = definition(floats, w, scale, null, activations);
            Tensor linear = Int8.linear(floats, w, scale, null, activations);
            assertClose(defined, linear, 1e-4, what + " " + activations);
          }
          if (Int8Packed.isExact() && rows <= Int8Packed.MOST_ROWS) {
            double[] defined = definition(floats, w, scale, null, Int8.Activations.BITS_15);
            try (Int8Packed packed = new Int8Packed(w, scale)) {
              assertClose(defined, packed.linear(floats, null), 1e-4, what + " packed");
            }
          }
        }
      }
    }
  }

  @Test
  void nothingTimesAMatrixIsNothing() {
    Tensor w = bytes(3, 4);
    Tensor scale = Tensor.ones(3);
    assertEquals(Shape.of(0, 3), Int8.product(bytes(0, 4), w).shape());
    assertArrayEquals(new int[6], Int8.product(bytes(2, 0), bytes(3, 0)).toInts());
    for (Int8.Activations activations : Int8.Activations.values()) {
      Tensor none = Int8.linear(Tensor.zeros(0, 4), w, scale, scale, activations);
      assertEquals(Shape.of(0, 3), none.shape());
    }
    if (Int8Packed.isExact()) {
      try (Int8Packed packed = new Int8Packed(w, scale)) {
        assertEquals(Shape.of(0, 3), packed.linear(Tensor.zeros(0, 4), scale).shape());
      }
    }
  }

  @Test
  void theLongestSumFits() {
    long width = Int8.LONGEST;
    Tensor extreme = Tensor.full(127, DType.INT8, 1, width);
    assertEquals(127L * 127 * width, Int8.product(extreme, extreme).itemLong());
    assertTrue(127L * 127 * (width + 1) > Integer.MAX_VALUE);
  }

  /** In plain loops and float64, from what is documented. */
  private static double[] definition(
      Tensor x, Tensor w, Tensor scale, Tensor bias, Int8.Activations activations) {
    int rows = (int) x.size(0);
    int width = (int) x.size(1);
    int out = (int) w.size(0);
    float[] values = x.toFloats();
    byte[] weights = w.toBytes();
    float[] steps = scale.toFloats();
    double[] result = new double[rows * out];
    for (int m = 0; m < rows; m++) {
      float largest = 0;
      for (int k = 0; k < width; k++) {
        largest = Math.max(largest, Math.abs(values[m * width + k]));
      }
      float factor = activations.levels() / largest;
      for (int n = 0; n < out; n++) {
        double sum = 0;
        for (int k = 0; k < width && largest > 0; k++) {
          sum += Math.rint(values[m * width + k] * factor) * weights[n * width + k];
        }
        result[m * out + n] = sum * largest / activations.levels() * steps[n];
        result[m * out + n] += bias == null ? 0 : bias.toFloats()[n];
      }
    }
    return result;
  }

  @ParameterizedTest
  @EnumSource(Int8.Activations.class)
  void linearIsItsDefinition(Int8.Activations activations) {
    // The last shape is shared out among threads where there are several.
    for (int[] shape : new int[][] {{1, 8, 5}, {3, 40, 7}, {33, 24, 16}, {1, 512, 1030}}) {
      Tensor x = Tensor.randn(shape[0], shape[1]);
      Tensor w = bytes(shape[2], shape[1]);
      Tensor scale = Tensor.rand(shape[2]).mul(0.01).add(0.001);
      Tensor bias = Tensor.randn(shape[2]);
      // A tie that float32 and float64 break differently is worth one step of one value.
      double tolerance = activations == Int8.Activations.BITS_8 ? 2e-5 : 1e-4;
      assertClose(
          definition(x, w, scale, bias, activations),
          Int8.linear(x, w, scale, bias, activations),
          tolerance);
      assertClose(
          definition(x, w, scale, null, activations),
          Int8.linear(x, w, scale, null, activations),
          tolerance);
    }
  }

  /** Many rows are multiplied in parts, with the weights packed once. */
  @ParameterizedTest
  @CsvSource({
    "255,64,40",
    "256,1,3",
    "256,2,1",
    "257,63,7",
    "300,65,129",
    "1000,384,33",
    "700,1536,96",
    "260,300,2100"
  })
  void manyRowsAreTheirDefinition(int rows, int width, int out) {
    Tensor x = Tensor.randn(rows, width);
    x.select(0, rows - 1).fill_(0);
    Tensor w = bytes(out, width);
    Tensor scale = Tensor.rand(out).mul(0.01).add(0.001);
    Tensor bias = Tensor.randn(out);
    for (Tensor offset : new Tensor[] {null, bias}) {
      assertClose(
          definition(x, w, scale, offset, Int8.Activations.BITS_8),
          Int8.linear(x, w, scale, offset, Int8.Activations.BITS_8),
          2e-4);
    }
    x.select(0, 3).fill_(Double.NaN);
    Tensor broken = Int8.linear(x, w, scale, bias, Int8.Activations.BITS_8);
    assertTrue(broken.select(0, 3).isFinite().not().all(), "NaN shows");
    assertTrue(broken.select(0, 4).isFinite().all(), "in its row only");
  }

  @ParameterizedTest
  @EnumSource(Int8.Activations.class)
  void oneRowAloneIsWhatItIsAmongOthers(Int8.Activations activations) {
    Tensor x = Tensor.randn(4, 768);
    Tensor w = bytes(900, 768);
    Tensor scale = Tensor.rand(900).mul(0.01);
    Tensor bias = Tensor.randn(900);
    Tensor all = Int8.linear(x, w, scale, bias, activations);
    for (long row = 0; row < 4; row++) {
      assertClose(
          all.narrow(0, row, 1),
          Int8.linear(x.narrow(0, row, 1).contiguous(), w, scale, bias, activations),
          2e-6);
    }
  }

  @ParameterizedTest
  @EnumSource(Int8.Activations.class)
  void zerosGiveTheBiasAndBrokenNumbersShow(Int8.Activations activations) {
    for (long rows : new long[] {1, 2}) {
      Tensor bias = Tensor.randn(6);
      Tensor scale = Tensor.ones(6);
      Tensor w = bytes(6, 10);
      Tensor zero = Int8.linear(Tensor.zeros(rows, 10), w, scale, bias, activations);
      assertSame(bias.expand(rows, 6).contiguous(), zero, "of zeros");
      Tensor broken = Tensor.full(Double.NaN, DType.FLOAT32, rows, 10);
      Tensor result = Int8.linear(broken, w, scale, bias, activations);
      assertTrue(result.isFinite().not().all(), result.toString());
    }
  }

  @Test
  void fifteenBitsAreAlmostExact() {
    Tensor x = Tensor.randn(5, 256);
    Tensor w = bytes(32, 256);
    Tensor scale = Tensor.full(0.01, DType.FLOAT32, 32);
    Tensor exact = x.matmul(w.to(DType.FLOAT32).t()).mul(0.01);
    Tensor fine = Int8.linear(x, w, scale, null, Int8.Activations.BITS_15);
    Tensor coarse = Int8.linear(x, w, scale, null, Int8.Activations.BITS_8);
    double size = exact.norm().item();
    assertTrue(fine.sub(exact).norm().item() < 2e-4 * size);
    assertTrue(coarse.sub(exact).norm().item() < 2e-2 * size);
    assertTrue(coarse.sub(exact).norm().item() > 1e-3 * size);
  }

  /** Where this processor has VNNI, the tests of packed matrices below must not be skipped. */
  @Test
  void processorsWithVnniUseThePackedKernel() throws IOException {
    Path processors = Path.of("/proc/cpuinfo");
    assumeTrue(Files.isReadable(processors) && Files.readString(processors).contains("vnni"));
    assertTrue(Int8Packed.isExact());
    assertTrue(Int8.hasRowProduct(bytes(3, 5)));
  }

  @Test
  void aPackedMatrixIsTheSameDefinition() {
    assumeTrue(Int8Packed.isExact());
    // The third shape is shared out among threads where there are several.
    for (int[] shape : new int[][] {{1, 8, 5}, {3, 40, 7}, {1, 512, 1030}, {8, 130, 65}}) {
      Tensor x = Tensor.randn(shape[0], shape[1]);
      Tensor w = bytes(shape[2], shape[1]);
      Tensor scale = Tensor.rand(shape[2]).mul(0.01).add(0.001);
      Tensor bias = Tensor.randn(shape[2]);
      try (Int8Packed packed = new Int8Packed(w, scale)) {
        assertClose(
            definition(x, w, scale, bias, Int8.Activations.BITS_15), packed.linear(x, bias), 1e-4);
        assertClose(
            definition(x, w, scale, null, Int8.Activations.BITS_15), packed.linear(x, null), 1e-4);
        assertEquals(2.0 * x.elements() * shape[2], Flops.of(() -> packed.linear(x, null)));
      }
    }
  }

  private static double[] exact(Tensor x, Tensor w, Tensor scale, Tensor bias) {
    return x.to(DType.FLOAT64)
        .matmul(w.to(DType.FLOAT64).mul(scale.to(DType.FLOAT64).unsqueeze(1)).t())
        .add(bias.to(DType.FLOAT64))
        .toDoubles();
  }

  /** Not rounded: panels, vectors, and what takes the packed matrix for more rows. */
  @ParameterizedTest
  @CsvSource({
    "1,8,5",
    "1,1,1",
    "4,512,1030",
    "3,40,7",
    "8,130,65",
    "2,3,96",
    "3,2,97",
    "1,16400,70",
    "2,576,2304"
  })
  void fewRowsAreExact(int rows, int width, int out) {
    Tensor x = Tensor.randn(rows, width);
    Tensor w = bytes(out, width);
    Tensor scale = Tensor.rand(out).mul(0.01).add(0.001);
    Tensor bias = Tensor.randn(out);
    double[] expected = exact(x, w, scale, bias);
    double tolerance = 3e-6 * Math.max(30, width);
    assertClose(expected, Int8.ofFloats(x, w, scale, bias), tolerance);
    try (Int8Panels panels = new Int8Panels(w, scale);
        VectorProduct vectors = VectorProduct.ofInt8(w, scale);
        Int8Product product = new Int8Product(w, scale)) {
      for (RowProduct exact : List.of(panels, vectors)) {
        assertClose(expected, exact.linear(x, bias), tolerance);
        assertEquals(2.0 * x.elements() * out, Flops.of(() -> exact.linear(x, null)));
      }
      assertTrue(panels.bytes() >= w.elements());
      assertEquals(0, product.bytes(), "nothing is copied before the first use");
      assertClose(expected, product.linear(x, bias), 1e-2);
      assertTrue(product.bytes() > 0);
      product.close();
      assertEquals(0, product.bytes(), "the copy is released");
    }
  }

  @Test
  void numbersThatAreBrokenShowInPanels() {
    Tensor w = bytes(70, 30);
    try (Int8Panels panels = new Int8Panels(w, Tensor.ones(70))) {
      Tensor broken = panels.linear(Tensor.full(Double.NaN, DType.FLOAT32, 1, 30), null);
      assertTrue(broken.isFinite().not().all(), broken.toString());
      assertSame(Tensor.ones(2, 70), panels.linear(Tensor.zeros(2, 30), Tensor.ones(70)), "zeros");
      assertThrows(TensorException.class, () -> panels.linear(Tensor.zeros(1, 5), null));
      assertEquals(Shape.of(0, 70), panels.linear(Tensor.zeros(0, 30), null).shape());
    }
  }

  /** Also of the largest integers, whose sums would not fit 16 bits. */
  @Test
  void panelsOfExtremesAreExact() {
    for (int value : new int[] {-128, 127}) {
      Tensor w = Tensor.full(value, DType.INT8, 100, 3072);
      try (Int8Panels panels = new Int8Panels(w, Tensor.ones(100))) {
        Tensor y = panels.linear(Tensor.full(-2.5, DType.FLOAT32, 1, 3072), null);
        assertClose(Tensor.full(-2.5 * value * 3072, DType.FLOAT64, 1, 100).toDoubles(), y, 0.1);
      }
    }
  }

  @Test
  void aPackedMatrixOfExtremesDoesNotSaturate() {
    assumeTrue(Int8Packed.isExact());
    Tensor w = Tensor.full(-127, DType.INT8, 70, 3072);
    try (Int8Packed packed = new Int8Packed(w, Tensor.ones(70))) {
      Tensor y = packed.linear(Tensor.full(-2.5, DType.FLOAT32, 2, 3072), null);
      assertClose(
          Tensor.full(2.5 * 127 * 3072, DType.FLOAT64, 2, 70).toDoubles(), y, 2.5 * 127 * 3e-3);
      assertSame(
          Tensor.ones(2, 70), packed.linear(Tensor.zeros(2, 3072), Tensor.ones(70)), "of zeros");
      Tensor broken = packed.linear(Tensor.full(Double.NaN, DType.FLOAT32, 1, 3072), null);
      assertTrue(broken.isFinite().not().all(), broken.toString());
      assertThrows(TensorException.class, () -> packed.linear(Tensor.zeros(1, 5), null));
    }
  }

  @Test
  void fourBitsAreTheirDefinition() {
    for (int[] shape : new int[][] {{1, 64, 16}, {1, 512, 1030}, {5, 128, 70}}) {
      int group = 32;
      long groups = shape[1] / group;
      Tensor x = Tensor.randn(shape[0], shape[1]);
      Tensor codes = Tensor.randint(0, 16, shape[2], shape[1]).to(DType.INT32);
      Tensor scales = Tensor.randn(shape[2], groups, 2).to(DType.BFLOAT16);
      Tensor kept = scales.to(DType.FLOAT64);
      Tensor weight =
          codes
              .to(DType.FLOAT64)
              .unflatten(1, groups, group)
              .sub(8.0)
              .mul(kept.narrow(2, 0, 1))
              .add(kept.narrow(2, 1, 1))
              .flatten(1, 2);
      Tensor expected = x.to(DType.BFLOAT16).to(DType.FLOAT64).matmul(weight.t());
      double size = expected.abs().max().item();
      try (Int4 matrix = new Int4(codes, scales, group, shape[1])) {
        Tensor product = matrix.linear(x, null);
        assertEquals(DType.FLOAT32, product.dtype());
        assertClose(expected.div(Tensor.scalar(size)), product.mul(1 / size), 5e-3);
        assertTrue(matrix.bytes() >= (long) shape[1] * shape[2] / 2);
      }
    }
  }
}
