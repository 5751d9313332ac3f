package dev.jformer.tensor;

import java.util.ArrayList;
import java.util.List;

/**
 * A matrix of 4-bit weights in the layout of libtorch's kernel, in pieces that threads share out.
 * It is packed once from the plain form and used for each product. Activations are rounded to
 * bfloat16, sums are float32, results bfloat16. Internal: layers in {@code nn.quantized} use it.
 */
public final class Int4 implements AutoCloseable {
  /** The most rows that the kernel lays out together: a piece begins at a multiple of them. */
  private static final long BLOCK = 64;

  /** The code that the kernel takes as zero. */
  public static final int MIDDLE = 8;

  private static final class Kernels {
    static final Operator PACK = Operator.named("aten::_convert_weight_to_int4pack_for_cpu");
    static final Operator PRODUCT = Operator.named("aten::_weight_int4pack_mm_for_cpu");
  }

  /**
   * Consecutive rows of the matrix.
   *
   * @param from index of the first
   * @param rows how many there are
   * @param weights in the kernel's layout, padded with rows that are ignored
   * @param scales bf16 [K / group, rows, 2]
   */
  private record Piece(long from, long rows, Tensor weights, Tensor scales) {}

  private final List<Piece> pieces = new ArrayList<>();
  private final long rows;
  private final long group;

  /**
   * Packs a matrix.
   *
   * @param codes int32 [N, K], each 0 to 15
   * @param scales bf16 [N, K / group, 2]: a code c of a group stands for (c - 8) times the first
   *     plus the second
   * @param group 32, 64, 128 or 256 values of a row
   */
  public Int4(Tensor codes, Tensor scales, long group) {
    this.rows = codes.size(0);
    this.group = group;
    long blocks = (rows + BLOCK - 1) / BLOCK;
    int parts = WorkerPool.pieces(codes.elements(), blocks);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      for (long part = 0; part < parts; part++) {
        long from = blocks * part / parts * BLOCK;
        long count = Math.min(rows, blocks * (part + 1) / parts * BLOCK) - from;
        long padding = (count + BLOCK - 1) / BLOCK * BLOCK - count;
        Tensor piece = Functional.pad(codes.narrow(0, from, count), 0, 0, 0, 0, padding);
        Tensor steps = Functional.pad(scales.narrow(0, from, count), 0, 0, 0, 0, 0, 0, padding);
        pieces.add(
            new Piece(
                from,
                count,
                Kernels.PACK.call(piece.contiguous(), 1L).keep(),
                steps.transpose(0, 1).contiguous().keep()));
      }
    }
  }

  /**
   * Matrix product {@code x Wᵀ}.
   *
   * @param x [M, K]
   * @return float32 [M, N]; no gradient flows through it
   */
  public Tensor product(Tensor x) {
    long count = x.size(0);
    Tensor result = Tensor.empty(DType.FLOAT32, count, rows);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor narrow = x.to(DType.BFLOAT16).contiguous();
      WorkerPool.each(pieces.size(), piece -> multiply(narrow, pieces.get(piece), result));
    }
    return result;
  }

  private void multiply(Tensor x, Piece piece, Tensor result) {
    try (Scope scope = Scope.open()) {
      Tensor product = Kernels.PRODUCT.call(x, piece.weights, group, piece.scales);
      result
          .torch()
          .narrow(1, piece.from, piece.rows)
          .copy_(product.torch().narrow(1, 0, piece.rows));
    }
  }

  /** Bytes that the packed matrix takes. */
  public long bytes() {
    return pieces.stream()
        .mapToLong(
            piece ->
                piece.weights.elements() * piece.weights.dtype().bytes()
                    + piece.scales.elements() * piece.scales.dtype().bytes())
        .sum();
  }

  @Override
  public void close() {
    pieces.forEach(
        piece -> {
          piece.weights.close();
          piece.scales.close();
        });
    pieces.clear();
  }
}
