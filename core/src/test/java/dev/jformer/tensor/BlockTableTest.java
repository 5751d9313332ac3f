package dev.jformer.tensor;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products with integers of 4 and 8 bits, beside plain loops in float64. */
@ExtendWith(Scoped.class)
class BlockTableTest {
  /** The kinds of blocks that GGUF files have. */
  enum Kind {
    SYMMETRIC_4(4, -8, 8, false),
    OFFSET_4(4, 0, 16, true),
    SYMMETRIC_8(8, -128, 128, false),
    OFFSET_8(8, -128, 128, true);

    final int bits;
    final int low;
    final int end;
    final boolean offset;

    Kind(int bits, int low, int end, boolean offset) {
      this.bits = bits;
      this.low = low;
      this.end = end;
      this.offset = offset;
    }

    IntegerBlocks random(int rows, int width, int block) {
      Tensor integers = Tensor.randint(low, end, rows, width).to(DType.INT8);
      integers.narrow(1, 0, 1).fill_(low);
      integers.narrow(1, 1, 1).fill_(end - 1);
      Tensor scales = Tensor.randn(rows, width / block);
      Tensor offsets = offset ? Tensor.randn(rows, width / block) : null;
      return new IntegerBlocks(integers, scales, offsets);
    }
  }

  /** The values by the definition, in float64. */
  private static double[] values(IntegerBlocks blocks) {
    int width = (int) blocks.integers().size(1);
    int count = (int) blocks.scales().size(1);
    int[] integers = blocks.integers().to(DType.INT32).toInts();
    double[] scales = blocks.scales().toDoubles();
    double[] offsets = blocks.offsets() == null ? null : blocks.offsets().toDoubles();
    double[] values = new double[integers.length];
    for (int i = 0; i < values.length; i++) {
      int at = i / width * count + i % width / (width / count);
      values[i] = integers[i] * scales[at] + (offsets == null ? 0 : offsets[at]);
    }
    return values;
  }

  private static double[] product(double[] x, double[] weight, double[] bias, int width) {
    int rows = x.length / width;
    int out = weight.length / width;
    double[] result = new double[rows * out];
    for (int m = 0; m < rows; m++) {
      for (int n = 0; n < out; n++) {
        double sum = bias == null ? 0 : bias[n];
        for (int k = 0; k < width; k++) {
          sum += x[m * width + k] * weight[n * width + k];
        }
        result[m * out + n] = sum;
      }
    }
    return result;
  }

  @ParameterizedTest
  @CsvSource({
    "SYMMETRIC_4,1,32,32",
    "SYMMETRIC_4,2,32,16",
    "SYMMETRIC_4,63,64,32",
    "SYMMETRIC_4,200,288,32",
    "OFFSET_4,1,32,32",
    "OFFSET_4,65,96,16",
    "OFFSET_4,128,128,32",
    "OFFSET_4,1536,576,32",
    "OFFSET_4,4097,32,32",
    "SYMMETRIC_8,8200,32,16",
    "SYMMETRIC_8,1,32,32",
    "SYMMETRIC_8,64,32,16",
    "SYMMETRIC_8,129,320,32",
    "SYMMETRIC_8,1000,768,32",
    "OFFSET_8,1,32,32",
    "OFFSET_8,127,544,16",
    "OFFSET_8,200,64,32"
  })
  void productsAreThoseOfTheValues(Kind kind, int out, int width, int block) {
    IntegerBlocks blocks = kind.random(out, width, block);
    BlockTable table = BlockTable.of(blocks);
    assertEquals(kind.bits, table.bits());
    assertEquals(BlockTable.columnBytes(out, kind.bits) * width, table.codes().elements());
    double[] weight = values(blocks);
    assertClose(weight, blocks.values(), 1e-4);
    assertSame(blocks.values(), table.values(), "bit for bit");
    double size = Math.sqrt(width) * (kind.bits == 8 ? 128 : 16);
    Tensor bias = Tensor.randn(out);
    try (BlockProduct few = new BlockProduct(table);
        VectorProduct inVectors = VectorProduct.of(table)) {
      for (int rows : new int[] {1, 2, 8, 9, 65}) {
        Tensor x = Tensor.randn(rows, width);
        for (Tensor b : new Tensor[] {null, bias}) {
          double[] expected =
              product(x.toDoubles(), weight, b == null ? null : b.toDoubles(), width);
          assertClose(expected, few.linear(x, b), 1e-6 * size);
          assertClose(expected, inVectors.linear(x, b), 1e-6 * size);
          assertClose(expected, table.linear(x, b), 1e-6 * size);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"SYMMETRIC_4,7", "SYMMETRIC_4,8", "OFFSET_4,7", "SYMMETRIC_8,5", "OFFSET_8,6"})
  void rowsAreThoseOfTheMatrix(Kind kind, int rows) {
    IntegerBlocks blocks = kind.random(rows, 96, 32);
    Tensor ids = Tensor.of(new long[] {rows - 1, 0, 3, 3, 1});
    assertSame(
        blocks.values().indexSelect(0, ids), BlockTable.of(blocks).rows(ids), kind.toString());
  }

  /** A layer makes its table anew from its parameters, and closes it. */
  @Test
  void productsOutliveTheTable() {
    IntegerBlocks blocks = Kind.OFFSET_4.random(300, 1024, 32);
    Tensor x = Tensor.randn(1, 1024);
    BlockProduct few;
    try (Scope scope = Scope.open()) {
      few = new BlockProduct(BlockTable.of(blocks));
    }
    try (few) {
      assertClose(product(x.toDoubles(), values(blocks), null, 1024), few.linear(x, null), 1e-3);
    }
  }

  /** Rows are shared out among as many threads as there are. */
  @Test
  void rowsAreSharedOut() {
    IntegerBlocks blocks = Kind.OFFSET_4.random(300, 1024, 32);
    BlockTable table = BlockTable.of(blocks);
    Tensor x = Tensor.randn(1, 1024);
    try (BlockProduct few = new BlockProduct(table)) {
      assertClose(product(x.toDoubles(), values(blocks), null, 1024), few.linear(x, null), 1e-3);
      assertTrue(few.bytes() > 0);
      String message =
          assertThrows(TensorException.class, () -> few.linear(Tensor.randn(1, 32), null))
              .getMessage();
      assertTrue(message.contains("expected [rows, 1024]"), message);
    }
    try (VectorProduct few = VectorProduct.of(table)) {
      assertClose(product(x.toDoubles(), values(blocks), null, 1024), few.linear(x, null), 1e-3);
    }
  }

  /** Parts of 4 and of 8 bits, with and without offsets, with blocks of 16 and of 32 values. */
  @Test
  void partsAreJoined() {
    List<IntegerBlocks> parts =
        List.of(
            Kind.SYMMETRIC_4.random(5, 64, 32),
            Kind.OFFSET_4.random(3, 64, 16),
            Kind.SYMMETRIC_8.random(4, 64, 32));
    IntegerBlocks joined = IntegerBlocks.joined(parts);
    Tensor expected =
        Tensor.cat(0, parts.stream().map(IntegerBlocks::values).toArray(Tensor[]::new));
    assertSame(expected, joined.values(), "joined");
    assertSame(expected, BlockTable.of(joined).values(), "as a table");
    IntegerBlocks turned = joined.withRows(rows -> rows.flip(0));
    assertSame(expected.flip(0), turned.values(), "other order");
    IntegerBlocks alike = IntegerBlocks.joined(List.of(parts.get(0), parts.get(0)));
    assertEquals(4, BlockTable.of(alike).bits());
  }

  /** Tensors of a table in any shape are a table; those of other numbers of bytes are not. */
  @Test
  void partsOfATableAreTakenBack() {
    for (Kind kind : Kind.values()) {
      IntegerBlocks blocks = kind.random(130, 64, 32);
      BlockTable table = BlockTable.of(blocks);
      Tensor codes = table.codes().reshape(64, -1);
      Tensor offsets = table.offsets() == null ? Tensor.zeros(0) : table.offsets().reshape(-1);
      BlockTable back = BlockTable.of(130, codes, table.scales().reshape(-1), offsets);
      assertSame(blocks.values(), back.values(), kind.toString());
      Tensor columns = Tensor.zeros(DType.UINT8, 64, 130 / 2 + 4);
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> BlockTable.of(130, columns, table.scales(), null))
              .getMessage();
      assertTrue(message.contains("69 bytes a column: expected 108 or 216"), message);
      for (int scales : new int[] {0, 100, 3 * 192, 2 * 192 + 1}) {
        message =
            assertThrows(
                    IllegalArgumentException.class,
                    () -> BlockTable.of(130, codes, Tensor.zeros(scales), null))
                .getMessage();
        assertTrue(message.contains(scales + " scales do not make whole blocks"), message);
      }
    }
  }

  @Test
  void theNearestIsWithinHalfAStep() {
    Tensor matrix = Tensor.randn(6, 96);
    matrix.narrow(1, 32, 32).zero_();
    IntegerBlocks blocks = IntegerBlocks.nearest(matrix);
    Tensor step = matrix.abs().unflatten(1, 3, 32).max(2, true).mul(1.0 / 127);
    Tensor error = blocks.values().sub(matrix).abs().unflatten(1, 3, 32);
    assertTrue(error.le(step.mul(0.5001)).all());
    assertEquals(127, blocks.integers().to(DType.INT32).max().item());
  }
}
