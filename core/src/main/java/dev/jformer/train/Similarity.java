package dev.jformer.train;

import dev.jformer.tensor.Tensor;

/**
 * Distances of similarity matrices, which compare features of any widths (<a
 * href="https://arxiv.org/abs/1907.09682">Similarity-Preserving Knowledge Distillation</a>).
 */
public final class Similarity {
  private static final double LEAST_SQUARE = 1e-24;

  private Similarity() {}

  /** Scales the rows of a matrix to length 1. */
  public static Tensor unit(Tensor rows) {
    Tensor squares = rows.square().sum(1, true);
    return rows.div(squares.clamp(LEAST_SQUARE, Double.POSITIVE_INFINITY).sqrt());
  }

  /**
   * The mean squared difference of the matrices of products of rows, whose rows are scaled to
   * length 1.
   *
   * @param a [n, ...]
   * @param b [n, ...] with other columns
   * @return a scalar
   */
  public static Tensor samples(Tensor a, Tensor b) {
    if (a.size(0) != b.size(0)) {
      throw new IllegalArgumentException(
          "there are " + a.size(0) + " rows and " + b.size(0) + ": expected as many");
    }
    double n = a.size(0);
    return unit(a.matmul(a.t())).sub(unit(b.matmul(b.t()))).square().sum().div(n * n);
  }
}
