package dev.jformer.position;

import dev.jformer.tensor.Tensor;

/** Toeplitz matrices: their elements depend only on the distance of row and column. */
public final class Toeplitz {
  private Toeplitz() {}

  /**
   * The distances s - t of keys s = 0 … keys - 1 and queries t = start … start + queries - 1, each
   * once, in rising order: int64 [queries + keys - 1]. {@link #matrix} needs a value for each.
   */
  public static Tensor distances(long start, long queries, long keys) {
    return Tensor.arange(1 - start - queries, keys - start);
  }

  /**
   * Builds the matrix from a value for each distance.
   *
   * @param values [H, rows + columns - 1], from the lower left corner to the upper right one
   * @return [H, rows, columns], element (i, j) being value j - i + rows - 1
   */
  public static Tensor matrix(Tensor values, long rows, long columns) {
    return values.unfold(1, columns, 1).flip(1);
  }
}
