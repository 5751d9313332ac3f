package dev.jformer.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Products of few rows with a {@link BlockTable}, as in decoding. Threads share out its columns,
 * and what each of them computes is added at the end. Internal: layers in {@code nn.quantized} use
 * it.
 *
 * <p>Measured on one core of a Xeon with AVX-512: 6 to 9 billion values a second for one row, with
 * 4 and with 8 bits; float32 matrices that do not fit the cache reach 3 to 5.
 */
public final class BlockProduct implements AutoCloseable {
  /** Products with more rows are faster with {@link BlockTable#linear}. */
  public static final long MOST_ROWS = 8;

  private static final class Kernels {
    static final Operator SUMS_4 = Operator.named("quantized::embedding_bag_4bit_rowwise_offsets");
    static final Operator SUMS_8 = Operator.named("quantized::embedding_bag_byte_rowwise_offsets");
  }

  /**
   * Consecutive blocks of columns.
   *
   * @param from index of the first column
   * @param count how many columns there are
   * @param codes their codes
   * @param scales of the blocks [B, N]
   * @param offsets of the blocks [N, B], or null
   * @param tensors what the arguments refer to
   * @param before the kernel's arguments between the codes and the weights of their columns
   * @param after the kernel's arguments after those weights
   */
  private record Piece(
      long from,
      long count,
      Tensor codes,
      Tensor scales,
      Tensor offsets,
      List<Tensor> tensors,
      List<IValue> before,
      List<IValue> after) {
    static Piece of(BlockTable table, long from, long blocks) {
      long block = table.block();
      long count = blocks * block;
      Tensor columns = Tensor.arange(0, count).to(DType.INT32).keep();
      Tensor starts = Tensor.arange(0, blocks).mul(block).to(DType.INT32).keep();
      Tensor codes = table.codes().narrow(0, from * block, count).keep();
      Tensor scales = table.scales().narrow(0, from, blocks).keep();
      Tensor offsets =
          table.offsets() == null ? null : table.offsets().narrow(0, from, blocks).t().keep();
      List<Tensor> tensors = new ArrayList<>(List.of(columns, starts, codes, scales));
      if (offsets != null) {
        tensors.add(offsets);
      }
      try (PointerScope pointers = new PointerScope()) {
        List<IValue> before =
            List.of(
                new IValue(columns.torch()),
                new IValue(starts.torch()),
                new IValue(false),
                new IValue(0L),
                new IValue(false));
        List<IValue> after = List.of(new IValue(), new IValue(false));
        before.forEach(IValue::retainReference);
        after.forEach(IValue::retainReference);
        return new Piece(from * block, count, codes, scales, offsets, tensors, before, after);
      }
    }

    void close() {
      before.forEach(IValue::releaseReference);
      after.forEach(IValue::releaseReference);
      tensors.forEach(Tensor::close);
    }
  }

  private final List<Piece> pieces = new ArrayList<>();
  private final Operator sums;
  private final long block;
  private final long rows;
  private final long width;

  /** Prepares products with a table, whose tensors are kept. */
  public BlockProduct(BlockTable table) {
    this.sums = table.bits() == 4 ? Kernels.SUMS_4 : Kernels.SUMS_8;
    this.block = table.block();
    this.rows = table.scales().size(1);
    this.width = table.codes().size(0);
    long blocks = table.scales().size(0);
    int parts = WorkerPool.pieces(rows * width, blocks);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      for (long part = 0; part < parts; part++) {
        long from = blocks * part / parts;
        pieces.add(Piece.of(table, from, blocks * (part + 1) / parts - from));
      }
    }
  }

  /**
   * Linear map {@code x Wᵀ + b}.
   *
   * @param x float32 [M, K], contiguous; it takes M times as long as for one row
   * @param bias float32 [N] or null
   * @return float32 [M, N]; no gradient flows through it
   */
  public Tensor linear(Tensor x, Tensor bias) {
    if (x.rank() != 2 || x.size(1) != width) {
      throw new TensorException("x is " + x.shape() + ": expected [rows, " + width + "]");
    }
    Flops.linear(x, rows);
    return Scope.tidy(
        () -> {
          try (Mode mode = Autograd.noGrad()) {
            Tensor parts = Tensor.empty(DType.FLOAT32, pieces.size(), x.size(0), rows);
            WorkerPool.each(
                pieces.size(), piece -> multiply(pieces.get(piece), x, parts.select(0, piece)));
            Tensor result = pieces.size() == 1 ? parts.squeeze(0) : parts.sum(0, false);
            return bias == null ? result : result.add_(bias);
          }
        });
  }

  private void multiply(Piece piece, Tensor x, Tensor result) {
    try (PointerScope pointers = new PointerScope()) {
      for (long row = 0; row < x.size(0); row++) {
        var part = x.torch().select(0, row).narrow(0, piece.from, piece.count);
        List<IValue> arguments = new ArrayList<>(piece.before);
        arguments.add(new IValue(part));
        arguments.addAll(piece.after);
        var target = result.torch().select(0, row);
        var ofBlocks = sums.invoke(piece.codes.torch(), arguments).narrow(1, 0, rows);
        torch.sum_out(
            target,
            ofBlocks.mul_(piece.scales.torch()),
            new long[] {0},
            false,
            new ScalarTypeOptional());
        if (piece.offsets != null) {
          target.addmv_(piece.offsets.torch(), part.view(-1, block).sum(1));
        }
      }
    }
  }

  /** Bytes that the numbers of columns take. */
  public long bytes() {
    return pieces.stream()
        .mapToLong(piece -> Integer.BYTES * (piece.count + piece.count / block))
        .sum();
  }

  @Override
  public void close() {
    pieces.forEach(Piece::close);
    pieces.clear();
  }
}
