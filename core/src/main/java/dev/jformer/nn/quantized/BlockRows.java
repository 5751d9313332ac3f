package dev.jformer.nn.quantized;

import dev.jformer.nn.Parameter;
import dev.jformer.nn.internal.Int8Rows;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.BlockTable;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A matrix [N, K] of blocks of integers, or of floats. The number of its bits follows from the
 * bytes that there are for each column, that of the values in a block from the number of scales.
 *
 * @param rows N
 * @param width K
 * @param codes uint8 [K, bytes]: as many bytes as the codes of a {@link BlockTable}, in its order;
 *     or the bytes of float32 [N, K]
 * @param scales float32, those of a table in its order; empty for floats
 * @param offsets float32, as many; or none
 */
record BlockRows(long rows, long width, Parameter codes, Parameter scales, Parameter offsets) {
  /** Creates a matrix of zeros. */
  static BlockRows zeros(long rows, long width) {
    boolean blocks = width % IntegerBlocks.BLOCK == 0;
    long bytes = blocks ? BlockTable.columnBytes(rows, 4) : floatBytes(rows);
    return new BlockRows(
        rows,
        width,
        Parameter.ragged(Tensor.zeros(DType.UINT8, width, bytes), false),
        Parameter.ragged(
            Tensor.zeros(blocks ? width / IntegerBlocks.BLOCK * BlockTable.blockScales(rows) : 0),
            false),
        Parameter.ragged(Tensor.zeros(0), false));
  }

  private static long floatBytes(long rows) {
    return rows * Float.BYTES;
  }

  /** Whether these are floats. */
  boolean isPlain() {
    return scales.value().elements() == 0;
  }

  /** The matrix of integers; not for floats. */
  BlockTable table() {
    return BlockTable.of(rows, codes.value(), scales.value(), offsets.value());
  }

  /** The values, float32 [N, K]. */
  Tensor matrix() {
    return isPlain()
        ? codes.value().reshape(-1).viewAs(DType.FLOAT32).reshape(rows, width)
        : table().values();
  }

  /** The values of rows by their indices, int64 [R]: float32 [R, K]. */
  Tensor values(Tensor ids) {
    return isPlain() ? Functional.embedding(ids, matrix()) : table().rows(ids);
  }

  /** Rounds a matrix to 8 bits if its rows are whole blocks. */
  void quantize(Tensor matrix) {
    Tensor finite = Int8Rows.finite(matrix);
    if (width % IntegerBlocks.BLOCK != 0) {
      store(finite);
      return;
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      store(IntegerBlocks.nearest(finite));
    }
  }

  void store(Tensor matrix) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor floats = Tensor.empty(DType.FLOAT32, rows, width).copy_(matrix);
      store(
          floats.reshape(-1).viewAs(DType.UINT8).reshape(width, floatBytes(rows)),
          Tensor.zeros(0),
          Tensor.zeros(0));
    }
  }

  void store(IntegerBlocks blocks) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      BlockTable table = BlockTable.of(blocks);
      store(
          table.codes().reshape(width, BlockTable.columnBytes(rows, table.bits())),
          table.scales().reshape(-1),
          table.offsets() == null ? Tensor.zeros(0) : table.offsets().reshape(-1));
    }
  }

  private void store(Tensor bytes, Tensor steps, Tensor shifts) {
    codes.replace(bytes);
    scales.replace(steps);
    offsets.replace(shifts);
  }
}
