package dev.jformer.tensor;

/**
 * Panels of integers: a matrix [N, K], cut into panels of some rows each, every one of which is a
 * table of K vectors of as many integers, in the form that libtorch's kernels for embeddings read.
 * The last panel has zeros where rows are missing.
 */
final class Panels {
  /** Bytes of the two floats, factor and offset, after the integers of a vector of 4 bits. */
  private static final int NARROW_TAIL = 4;

  private static final int WIDE_TAIL = 8;

  /** The number of integers of 4 bits. */
  static final int HALF = 16;

  /** What 8 bits are shifted by, as the kernels' integers have no sign. */
  static final int ZERO = 128;

  /** Rows that are brought in order together. */
  private static final long STRIP = 4096;

  private Panels() {}

  /** The number of panels of a height that rows are cut into. */
  static long count(long rows, int height) {
    return (rows + height - 1) / height;
  }

  /** The number of bytes of a vector. */
  static int vectorBytes(int bits, int height) {
    return bits == 4 ? height / 2 + NARROW_TAIL : height + WIDE_TAIL;
  }

  /**
   * Makes the tables of a matrix.
   *
   * @param integers int8 [N, K], which fit the bits after the shift
   * @param bits 4 or 8
   * @param zero what they are shifted by, so that none is negative
   * @param height an even number of rows
   * @return uint8 [panels, K, bytes]: the integers of a vector, two in a byte if they have 4 bits
   *     (the even one in the lower half), and two floats that undo the shift
   */
  static Tensor of(Tensor integers, int bits, int zero, int height) {
    long rows = integers.size(0);
    int bytes = vectorBytes(bits, height);
    Tensor tables = Tensor.onHost(DType.UINT8, count(rows, height), integers.size(1), bytes);
    long strip = STRIP / height * height;
    for (long from = 0; from < rows; from += strip) {
      try (Scope scope = Scope.open()) {
        Tensor some = integers.narrow(0, from, Math.min(strip, rows - from)).contiguous();
        Tensor shifted = cut(some.viewAs(DType.UINT8).add((long) zero), height); // modulo 256
        Tensor joined = bits == 4 ? pairs(shifted) : shifted;
        tables
            .narrow(0, from / height, joined.size(0))
            .narrow(2, 0, joined.size(1))
            .copy_(joined.transpose(1, 2));
      }
    }
    try (Mode host = Device.host()) {
      Tensor undo = Tensor.of(new float[] {1, -zero});
      Tensor tail = (bits == 4 ? undo.to(DType.FLOAT16) : undo).viewAs(DType.UINT8);
      tables.narrow(2, bytes - tail.elements(), tail.elements()).copy_(tail);
    }
    return tables;
  }

  /** Rows [N, ...] as panels of rows [panels, height, ...], with zeros where rows are missing. */
  static Tensor cut(Tensor rows, int height) {
    long missing = count(rows.size(0), height) * height - rows.size(0);
    Tensor all = missing == 0 ? rows : Functional.pad(rows, 0, 0, 0, 0, missing);
    return all.unflatten(0, -1, height);
  }

  /** Joins rows of 4-bit integers in pairs, the even one in the lower half. */
  private static Tensor pairs(Tensor shifted) {
    Tensor pairs = shifted.unflatten(1, -1, 2);
    return pairs.select(2, 1).mul((long) HALF).add_(pairs.select(2, 0));
  }
}
