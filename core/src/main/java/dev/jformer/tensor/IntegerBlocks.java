package dev.jformer.tensor;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A matrix [N, K] of 8-bit integers. Blocks of adjacent values of a row share a scale and, if there
 * are any, an offset: a value is {@code scale * integer + offset}.
 *
 * @param integers int8 [N, K]
 * @param scales float32 [N, K / block]
 * @param offsets float32 [N, K / block], or null if all are zero
 */
public record IntegerBlocks(Tensor integers, Tensor scales, Tensor offsets) {
  /** The number of values in a block of matrices that are {@linkplain #nearest rounded} here. */
  public static final int BLOCK = 32;

  private static final double LEVELS = Int8.LEVELS;

  /** The number of values that share a scale. */
  public long block() {
    return integers.size(1) / scales.size(1);
  }

  /**
   * Rounds a matrix to the nearest: the largest absolute value of a block becomes 127.
   *
   * @param matrix [N, K], K a multiple of {@link #BLOCK}
   */
  public static IntegerBlocks nearest(Tensor matrix) {
    Tensor blocks = matrix.to(DType.FLOAT32).unflatten(1, -1, BLOCK);
    Tensor scales = blocks.abs().max(2, true).mul(1 / LEVELS);
    Tensor divisor = scales.where(scales.gt(0), Tensor.ones(1));
    Tensor integers = blocks.div(divisor).round().clamp(-LEVELS, LEVELS).to(DType.INT8);
    return new IntegerBlocks(integers.flatten(1, 2), scales.squeeze(2), null);
  }

  /** The same with its rows in another order, or fewer of them. */
  public IntegerBlocks withRows(UnaryOperator<Tensor> change) {
    return new IntegerBlocks(
        change.apply(integers),
        change.apply(scales),
        offsets == null ? null : change.apply(offsets));
  }

  /** The rows of several matrices of one width, in one; its blocks are as small as the smallest. */
  public static IntegerBlocks joined(List<IntegerBlocks> parts) {
    long block = parts.stream().mapToLong(IntegerBlocks::block).min().orElseThrow();
    boolean without = parts.stream().allMatch(part -> part.offsets == null);
    return new IntegerBlocks(
        stacked(parts.stream().map(IntegerBlocks::integers).toList()),
        stacked(parts.stream().map(part -> part.repeated(part.scales, block)).toList()),
        without
            ? null
            : stacked(
                parts.stream()
                    .map(
                        part ->
                            part.repeated(
                                part.offsets == null ? part.scales.zerosLike() : part.offsets,
                                block))
                    .toList()));
  }

  private static Tensor stacked(List<Tensor> parts) {
    return Tensor.cat(0, parts.toArray(Tensor[]::new));
  }

  /** Values of blocks, for smaller blocks. */
  private Tensor repeated(Tensor values, long block) {
    return block == block() ? values : values.repeatInterleave(block() / block, 1);
  }

  /**
   * Whether an integer fits 4 bits, which hold 16 integers from 0 or, without offsets, from -8 on.
   */
  boolean isNarrow() {
    int low = offsets == null ? -BlockTable.MIDDLE : 0;
    return integers.min().item() >= low && integers.max().item() < low + Panels.HALF;
  }

  /** The matrix of values, float32 [N, K]. */
  public Tensor values() {
    Tensor values = integers.to(DType.FLOAT32).unflatten(1, scales.size(1), -1);
    values.mul_(scales.unsqueeze(2));
    return (offsets == null ? values : values.add_(offsets.unsqueeze(2))).flatten(1, 2);
  }
}
