package dev.jformer.tensor;

import dev.jformer.kernels.PanelKernel;

/**
 * A matrix [N, K] of {@link IntegerBlocks} in 4 or 8 bits a value, cut into panels of {@value
 * #HEIGHT} rows each. A panel is a table of K vectors of as many integers, which libtorch's kernels
 * for embeddings read. A product with a vector x is a sum of such vectors, weighted by the elements
 * of x, for each block; then it is multiplied by the blocks' scales. So nothing is rounded but the
 * sums of float32 numbers.
 *
 * <p>A panel is so narrow that its sums stay in registers, and its memory is read from the
 * beginning to the end: a table of whole columns is read half as fast. The last panel has zeros
 * where rows are missing.
 *
 * <p>Internal: layers in {@code nn.quantized} use it.
 *
 * @param rows N
 * @param codes uint8 [panels, K, bytes]: the integers of a vector, shifted so that none is
 *     negative, two in a byte if they have 4 bits (the even one in the lower half); and two floats
 *     that undo the shift
 * @param scales float32 [panels, K / block, HEIGHT]
 * @param offsets float32 [panels, K / block, HEIGHT], or null
 */
public record BlockTable(long rows, Tensor codes, Tensor scales, Tensor offsets) {
  /** Rows of a panel. */
  static final int HEIGHT = PanelKernel.HEIGHT;

  /** What 4 bits are shifted by if there are no offsets. */
  static final int MIDDLE = 8;

  /** About as many floats are converted at a time: they should fit the cache. */
  private static final long CHUNK = 1 << 18;

  private static final String PRODUCTS = "products with blocks of integers";

  private static final class Kernels {
    static final Operator UNPACK_4 = Operator.named("quantized::embedding_bag_4bit_unpack");
    static final Operator UNPACK_8 = Operator.named("quantized::embedding_bag_byte_unpack");
  }

  /** The number of bytes of all panels for one column of the matrix. */
  public static long columnBytes(long rows, int bits) {
    return Panels.count(rows, HEIGHT) * Panels.vectorBytes(bits, HEIGHT);
  }

  /** The number of scales, or offsets, of all panels for one block of columns. */
  public static long blockScales(long rows) {
    return Panels.count(rows, HEIGHT) * HEIGHT;
  }

  /**
   * Creates a table from what one consists of, in any shape.
   *
   * @param offsets null or empty if there are none
   * @throws IllegalArgumentException if the codes are not of panels, or the scales not of blocks
   */
  public static BlockTable of(long rows, Tensor codes, Tensor scales, Tensor offsets) {
    long width = codes.size(0);
    long bytes = codes.elements() / Math.max(1, width);
    if (bytes != columnBytes(rows, 4) && bytes != columnBytes(rows, 8)) {
      throw new IllegalArgumentException(
          "a matrix of "
              + rows
              + " rows has "
              + bytes
              + " bytes a column: expected "
              + columnBytes(rows, 4)
              + " or "
              + columnBytes(rows, 8)
              + "; an earlier version wrote other blocks, so read the GGUF file again");
    }
    long blocks = scales.elements() / Math.max(1, blockScales(rows));
    boolean whole = blocks > 0 && width % blocks == 0;
    if (!whole || scales.elements() != blocks * blockScales(rows)) {
      throw new IllegalArgumentException(
          scales.elements()
              + " scales do not make whole blocks of a matrix of "
              + rows
              + " rows and "
              + width
              + " columns: the model is damaged, so read the GGUF file again");
    }
    long panels = Panels.count(rows, HEIGHT);
    return new BlockTable(
        rows,
        codes.reshape(panels, width, -1),
        scales.reshape(panels, -1, HEIGHT),
        offsets == null || offsets.elements() == 0 ? null : offsets.reshape(panels, -1, HEIGHT));
  }

  /** Creates a table of 4 bits if all integers fit, otherwise of 8. */
  public static BlockTable of(IntegerBlocks blocks) {
    boolean narrow = blocks.isNarrow();
    int zero = !narrow ? Panels.ZERO : blocks.offsets() == null ? MIDDLE : 0;
    Tensor codes = Panels.of(blocks.integers(), narrow ? 4 : 8, zero, HEIGHT);
    return new BlockTable(
        blocks.integers().size(0),
        codes,
        byBlock(blocks.scales()),
        blocks.offsets() == null ? null : byBlock(blocks.offsets()));
  }

  private static Tensor byBlock(Tensor scales) {
    return Panels.cut(scales, HEIGHT).transpose(1, 2).contiguous();
  }

  /** The number of bits of an integer, 4 or 8. */
  public int bits() {
    return codes.size(2) == Panels.vectorBytes(4, HEIGHT) ? 4 : 8;
  }

  /** K. */
  long width() {
    return codes.size(1);
  }

  /** The code that stands for 0 before an offset is added. */
  int zero() {
    return bits() == 8 ? Panels.ZERO : offsets == null ? MIDDLE : 0;
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
    return width() / scales.size(1);
  }

  /** Values of panels, float32 [count, K, HEIGHT]. */
  private Tensor values(long from, long count) {
    Native.requireHost(PRODUCTS, codes);
    Operator unpack = bits() == 4 ? Kernels.UNPACK_4 : Kernels.UNPACK_8;
    Tensor values =
        unpack
            .call(codes.narrow(0, from, count).flatten(0, 1))
            .reshape(count, scales.size(1), block(), HEIGHT);
    values.mul_(scales.narrow(0, from, count).unsqueeze(2));
    if (offsets != null) {
      values.add_(offsets.narrow(0, from, count).unsqueeze(2));
    }
    return values.flatten(1, 2);
  }

  /** The matrix of values, float32 [N, K]. */
  public Tensor values() {
    return values(0, codes.size(0)).transpose(1, 2).flatten(0, 1).narrow(0, 0, rows);
  }

  /** Rows of the matrix by their indices, int64 [R]: float32 [R, K]. */
  public Tensor rows(Tensor ids) {
    Tensor panels = ids.floorDiv(HEIGHT).unsqueeze(1);
    Tensor places = ids.remainder(HEIGHT).unsqueeze(1);
    Tensor bytes = taken(codes, panels, bits() == 4 ? places.floorDiv(2) : places);
    Tensor integers = bytes.to(DType.INT32);
    if (bits() == 4) {
      Tensor upper = integers.floorDiv(Panels.HALF);
      Tensor lower = integers.sub(upper.mul((long) Panels.HALF));
      integers = upper.where(places.remainder(2).eq(1L), lower);
    }
    Tensor values = integers.sub((long) zero()).to(DType.FLOAT32).unflatten(1, scales.size(1), -1);
    values.mul_(taken(scales, panels, places).unsqueeze(2));
    if (offsets != null) {
      values.add_(taken(offsets, panels, places).unsqueeze(2));
    }
    return values.flatten(1, 2);
  }

  /** One place of all vectors of a panel: of [panels, L, W], by [R, 1] each, to [R, L]. */
  private static Tensor taken(Tensor all, Tensor panels, Tensor places) {
    long length = all.size(1);
    Tensor starts = panels.mul(length * all.size(2)).add(places);
    Tensor at = starts.add(Tensor.arange(0, length).mul(all.size(2)).unsqueeze(0));
    return all.flatten(0, 2).indexSelect(0, at.flatten(0, 1)).reshape(panels.size(0), length);
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
    Flops.linear(x, rows);
    Tensor result = Tensor.onHost(DType.FLOAT32, x.size(0), rows);
    long most = Math.max(2, CHUNK / (HEIGHT * width()));
    try (Mode mode = Autograd.noGrad()) {
      for (long from = 0; from < codes.size(0); from += most) {
        try (Scope scope = Scope.open()) {
          long count = Math.min(most, codes.size(0) - from);
          Tensor products = x.unsqueeze(0).matmul(values(from, count)).transpose(0, 1);
          long some = Math.min(count * HEIGHT, rows - from * HEIGHT);
          Tensor whole = products.flatten(1, 2).narrow(1, 0, some);
          result.narrow(1, from * HEIGHT, some).copy_(whole);
        }
      }
    }
    return bias == null ? result : result.add_(bias);
  }
}
