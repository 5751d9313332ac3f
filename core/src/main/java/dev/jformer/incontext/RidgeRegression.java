package dev.jformer.incontext;

import dev.jformer.config.Checks;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Tensor;

/** Least squares with a penalty on the weights, solved by Cholesky's decomposition in float64. */
public final class RidgeRegression {
  private static final Operator CHOLESKY = Operator.named("aten::linalg_cholesky");
  private static final Operator SOLVE = Operator.named("aten::cholesky_solve");

  private RidgeRegression() {}

  /**
   * Finds the weights w that make |F w - y|² / n + penalty |w|² smallest.
   *
   * @param features F, [n, p]; of fewer rows than columns the rows' products are solved for
   * @param targets y, [n]
   * @param penalty above 0
   * @return [p] in float64
   */
  public static Tensor solve(Tensor features, Tensor targets, double penalty) {
    Checks.moreThan("penalty", penalty, 0);
    Tensor f = features.to(DType.FLOAT64);
    Tensor y = targets.to(DType.FLOAT64).unsqueeze(1);
    long n = f.size(0);
    return n < f.size(1)
        ? f.t().matmul(solved(f.matmul(f.t()), y, n * penalty)).squeeze(1)
        : solved(f.t().matmul(f), f.t().matmul(y), n * penalty).squeeze(1);
  }

  private static Tensor solved(Tensor square, Tensor right, double added) {
    long size = square.size(0);
    Tensor diagonal = Tensor.full(added, DType.FLOAT64, size);
    Tensor identity =
        Tensor.zeros(DType.FLOAT64, size, size)
            .scatter(1, Tensor.arange(0, size).unsqueeze(1), diagonal.unsqueeze(1));
    return SOLVE.call(right, CHOLESKY.call(square.add(identity), false), false);
  }
}
