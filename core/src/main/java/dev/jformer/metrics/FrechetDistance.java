package dev.jformer.metrics;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * The Fréchet distance of two sets of feature vectors, each taken for a normal distribution: {@code
 * |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½)} of their means and covariances (<a
 * href="https://arxiv.org/abs/1706.08500">GANs Trained by a Two Time-Scale Update Rule Converge to
 * a Local Nash Equilibrium</a>). With features of a classifier it measures how much made images
 * look like real ones; distances can be compared only if the classifier and the numbers of images
 * are the same.
 */
public final class FrechetDistance {
  private static final Operator EIGEN = Operator.named("aten::linalg_eigh");

  private FrechetDistance() {}

  /**
   * Computes the distance.
   *
   * @param features [N, D]
   * @param others [M, D]
   * @throws IllegalArgumentException unless both have rows of D finite numbers, at least two
   */
  public static double of(Tensor features, Tensor others) {
    check(features);
    check(others);
    if (features.size(1) != others.size(1)) {
      throw new IllegalArgumentException(
          "features are "
              + features.shape()
              + " and "
              + others.shape()
              + ": expected as many numbers in the rows of both");
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor first = features.to(DType.FLOAT64);
      Tensor second = others.to(DType.FLOAT64);
      Tensor shift = first.mean(0, false).sub(second.mean(0, false));
      Tensor c1 = covariance(first);
      Tensor c2 = covariance(second);
      // C1 C2 has the eigenvalues of the symmetric matrix C1^½ C2 C1^½.
      Tensor root = root(c1);
      Tensor product = root.matmul(c2).matmul(root);
      Tensor eigenvalues = eigen(product).get(0);
      double cross = eigenvalues.clamp(0, Double.MAX_VALUE).sqrt().sum().item();
      double distance = shift.square().sum().item() + trace(c1) + trace(c2) - 2 * cross;
      return Math.max(0, distance);
    }
  }

  private static void check(Tensor features) {
    if (features.rank() != 2 || features.size(0) < 2) {
      throw new IllegalArgumentException(
          "features are " + features.shape() + ": expected [N, D] with N of 2 or more");
    }
    if (!features.isFinite().all()) {
      throw new IllegalArgumentException(
          "features hold numbers that are not finite: check the model that they are from");
    }
  }

  private static Tensor covariance(Tensor rows) {
    Tensor centred = rows.sub(rows.mean(0, true));
    return centred.t().matmul(centred).div(rows.size(0) - 1.0);
  }

  private static double trace(Tensor matrix) {
    double sum = 0;
    for (double value : diagonal(matrix)) {
      sum += value;
    }
    return sum;
  }

  private static double[] diagonal(Tensor matrix) {
    int size = Math.toIntExact(matrix.size(0));
    double[] all = matrix.contiguous().toDoubles();
    double[] values = new double[size];
    for (int i = 0; i < size; i++) {
      values[i] = all[i * (size + 1)];
    }
    return values;
  }

  /** The symmetric square root of a covariance. */
  private static Tensor root(Tensor matrix) {
    List<Tensor> parts = eigen(matrix);
    Tensor roots = parts.get(0).clamp(0, Double.MAX_VALUE).sqrt();
    Tensor vectors = parts.get(1);
    return vectors.mul(roots).matmul(vectors.t());
  }

  private static List<Tensor> eigen(Tensor symmetric) {
    return EIGEN.callAll(symmetric.add(symmetric.t()).mul(0.5));
  }
}
