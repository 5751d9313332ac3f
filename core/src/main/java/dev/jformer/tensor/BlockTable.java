package dev.jformer.tensor;

/**
 * A matrix [N, K] of {@link IntegerBlocks} in 4 or 8 bits a value, held column by column: it is a
 * table of K vectors of N integers, which libtorch's kernels for embeddings read. A product with a
 * vector x is a sum of such vectors, weighted by the elements of x, for each block; then it is
 * multiplied by the blocks' scales. So nothing is rounded but the sums of float32 numbers.
 *
 * <p>Internal: layers in {@code nn.quantized} use it.
 *
 * @param codes uint8 [K, bytes]: the integers of a column, shifted so that none is negative, two in
 *     a byte if they have 4 bits (the even one in the lower half); and two floats that undo the
 *     shift
 * @param scales float32 [K / block, N]
 * @param offsets float32 [K / block, N], or null
 */
public record BlockTable(Tensor codes, Tensor scales, Tensor offsets) {
  /** What 4 bits are shifted by if there are no offsets. */
  static final int MIDDLE = 8;

  /** What 8 bits are shifted by. */
  private static final int ZERO = 128;

  /** The number of integers of 4 bits. */
  static final int HALF = 16;

  /** Bytes of the two floats after a column's integers. */
  private static final int NARROW_TAIL = 4;

  private static final int WIDE_TAIL = 8;

  /** An even number of rows, which are turned to columns together. */
  private static final long ROWS = 4096;

  /** As many columns at least are converted to floats at a time. */
  private static final long FEWEST_COLUMNS = 256;

  /** About as many floats are converted at a time, if that is more: they should fit the cache. */
  private static final long CHUNK = 1 << 18;

  private static final String PRODUCTS = "products with blocks of integers";

  private static final class Kernels {
    static final Operator UNPACK_4 = Operator.named("quantized::embedding_bag_4bit_unpack");
    static final Operator UNPACK_8 = Operator.named("quantized::embedding_bag_byte_unpack");
    static final Operator ADD_PRODUCT = Operator.named("aten::addmm_");
  }

  /** The number of bytes of a column. */
  public static long columnBytes(long rows, int bits) {
    return bits == 4 ? (rows + 1) / 2 + NARROW_TAIL : rows + WIDE_TAIL;
  }

  /** Creates a table of 4 bits if all integers fit, otherwise of 8. */
  public static BlockTable of(IntegerBlocks blocks) {
    boolean narrow = blocks.isNarrow();
    int zero = !narrow ? ZERO : blocks.offsets() == null ? MIDDLE : 0;
    long rows = blocks.integers().size(0);
    long width = blocks.integers().size(1);
    Tensor codes = Tensor.onHost(DType.UINT8, width, columnBytes(rows, narrow ? 4 : 8));
    for (long from = 0; from < rows; from += ROWS) {
      try (Scope scope = Scope.open()) {
        Tensor strip = blocks.integers().narrow(0, from, Math.min(ROWS, rows - from));
        Tensor shifted = strip.viewAs(DType.UINT8).add((long) zero); // modulo 256
        Tensor bytes = narrow ? pairs(shifted) : shifted;
        codes.narrow(1, narrow ? from / 2 : from, bytes.size(0)).copy_(bytes.t());
      }
    }
    try (Mode host = Device.host()) {
      Tensor undo = Tensor.of(new float[] {1, -zero});
      Tensor tail = (narrow ? undo.to(DType.FLOAT16) : undo).viewAs(DType.UINT8);
      codes.narrow(1, codes.size(1) - tail.elements(), tail.elements()).copy_(tail);
    }
    return new BlockTable(
        codes,
        blocks.scales().t().contiguous(),
        blocks.offsets() == null ? null : blocks.offsets().t().contiguous());
  }

  /** Joins rows of 4-bit integers in pairs, the even one in the lower half. */
  private static Tensor pairs(Tensor shifted) {
    long rows = shifted.size(0);
    Tensor even = rows % 2 == 0 ? shifted : Functional.pad(shifted, 0, 0, 0, 0, 1);
    Tensor pairs = even.unflatten(0, -1, 2);
    return pairs.select(1, 1).mul((long) HALF).add_(pairs.select(1, 0));
  }

  /** The number of bits of an integer, 4 or 8. */
  public int bits() {
    return codes.size(1) == columnBytes(scales.size(1), 4) ? 4 : 8;
  }

  /** The code that stands for 0 before an offset is added. */
  int zero() {
    return bits() == 8 ? ZERO : offsets == null ? MIDDLE : 0;
  }

  /** Products of few rows with the matrix, whose tensors have to live as long. */
  public RowProduct product() {
    Native.requireHost(PRODUCTS, codes);
    return VectorProduct.suits(codes) && VectorProduct.suits(scales)
        ? VectorProduct.of(this)
        : new BlockProduct(this);
  }

  /** The number of values that share a scale. */
  long block() {
    return codes.size(0) / scales.size(0);
  }

  /**
   * Values of columns without offsets, float32 [count, N]; both numbers are multiples of blocks.
   */
  private Tensor scaled(long from, long count) {
    Native.requireHost(PRODUCTS, codes);
    Operator unpack = bits() == 4 ? Kernels.UNPACK_4 : Kernels.UNPACK_8;
    long block = block();
    Tensor values =
        unpack
            .call(codes.narrow(0, from, count))
            .narrow(1, 0, scales.size(1))
            .unflatten(0, count / block, block);
    values.mul_(scales.narrow(0, from / block, count / block).unsqueeze(1));
    return values.flatten(0, 1);
  }

  /** The matrix of values, float32 [N, K]. */
  public Tensor values() {
    Tensor values = scaled(0, codes.size(0));
    if (offsets != null) {
      values.unflatten(0, scales.size(0), -1).add_(offsets.unsqueeze(1));
    }
    return values.t();
  }

  /** Rows of the matrix by their indices, int64 [R]: float32 [R, K]. */
  public Tensor rows(Tensor ids) {
    Tensor integers;
    if (bits() == 4) {
      Tensor pairs = codes.indexSelect(1, ids.floorDiv(2)).to(DType.INT32);
      Tensor upper = pairs.floorDiv(HALF);
      Tensor lower = pairs.sub(upper.mul((long) HALF));
      integers = upper.where(ids.remainder(2).eq(1L), lower);
    } else {
      integers = codes.indexSelect(1, ids).to(DType.INT32);
    }
    Tensor values = integers.sub((long) zero()).to(DType.FLOAT32).unflatten(0, scales.size(0), -1);
    values.mul_(scales.indexSelect(1, ids).unsqueeze(1));
    if (offsets != null) {
      values.add_(offsets.indexSelect(1, ids).unsqueeze(1));
    }
    return values.flatten(0, 1).t();
  }

  /**
   * Linear map {@code x Wᵀ + b} of many rows. The matrix is converted to floats in pieces. For few
   * rows see {@link #product}.
   *
   * @param x float32 [M, K]
   * @param bias float32 [N] or null
   * @return float32 [M, N]; no gradient flows through it
   */
  public Tensor linear(Tensor x, Tensor bias) {
    Flops.linear(x, scales.size(1));
    long width = codes.size(0);
    Tensor result = Tensor.onHost(DType.FLOAT32, x.size(0), scales.size(1));
    if (bias == null) {
      result.zero_();
    } else {
      result.copy_(bias);
    }
    long wanted = Math.max(FEWEST_COLUMNS, CHUNK / scales.size(1));
    long step = (wanted + block() - 1) / block() * block();
    try (Mode mode = Autograd.noGrad()) {
      for (long from = 0; from < width; from += step) {
        try (Scope scope = Scope.open()) {
          long count = Math.min(step, width - from);
          Kernels.ADD_PRODUCT.call(result, x.narrow(1, from, count), scaled(from, count));
        }
      }
      if (offsets != null) {
        try (Scope scope = Scope.open()) {
          Tensor ofBlocks = x.unflatten(1, scales.size(0), -1).sum(2, false);
          Kernels.ADD_PRODUCT.call(result, ofBlocks, offsets);
        }
      }
    }
    return result;
  }
}
