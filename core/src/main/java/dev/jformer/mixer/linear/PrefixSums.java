package dev.jformer.mixer.linear;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Computes exclusive prefix sums along a dimension.
 *
 * <p>It multiplies with a triangle of ones, over groups of {@value #GROUP} and then over the
 * groups' sums: O(N) and, for the wide rows of chunked attention, several times faster than
 * libtorch's cumulative sum, which goes column by column.
 */
final class PrefixSums {
  private static final long GROUP = 16;

  private PrefixSums() {}

  /**
   * Sums rows: row n of the result is the sum of rows 0 … n - 1, exactly independent of later rows.
   *
   * @param x [G, N, F], finite
   * @return [G, N, F]
   */
  static Tensor exclusive(Tensor x) {
    long rows = x.size(1);
    if (rows <= 2 * GROUP) {
      return triangle(x, rows).matmul(x);
    }
    long groups = (rows + GROUP - 1) / GROUP;
    long missing = groups * GROUP - rows;
    Tensor padded = missing == 0 ? x : Functional.pad(x, 0, 0, 0, 0, missing);
    Tensor grouped = padded.unflatten(1, groups, GROUP);
    Tensor within = triangle(x, GROUP).matmul(grouped);
    Tensor before = exclusive(grouped.sum(2, false));
    return within.add_(before.unsqueeze(2)).flatten(1, 2).narrow(1, 0, rows);
  }

  private static Tensor triangle(Tensor like, long size) {
    return Tensor.ones(size, size).tril(-1).to(like.dtype()).to(like.device());
  }
}
