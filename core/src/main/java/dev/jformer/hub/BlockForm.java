package dev.jformer.hub;

import dev.jformer.tensor.BlockTable;
import java.util.List;

/**
 * The form of a matrix of blocks of integers.
 *
 * @param bits of an integer, 4 or 8
 * @param offsets whether blocks have offsets
 * @param block the number of values that share a scale
 */
record BlockForm(int bits, boolean offsets, int block) {
  /** The form that several matrices are joined in. */
  static BlockForm joined(List<BlockForm> forms) {
    boolean alike = forms.stream().map(BlockForm::offsets).distinct().count() == 1;
    return new BlockForm(
        alike ? forms.stream().mapToInt(BlockForm::bits).max().orElseThrow() : 8,
        forms.stream().anyMatch(BlockForm::offsets),
        forms.stream().mapToInt(BlockForm::block).min().orElseThrow());
  }

  /** The bytes of a matrix [rows, width] in memory. */
  long bytes(long rows, long width) {
    long floats = BlockTable.blockScales(rows) * (width / block) * (offsets ? 2 : 1);
    return width * BlockTable.columnBytes(rows, bits) + floats * Float.BYTES;
  }
}
