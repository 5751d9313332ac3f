package dev.jformer.incontext;

import dev.jformer.tensor.Tensor;

/**
 * Mixtures of normal distributions, a batch of them.
 *
 * @param logWeights [B, K], logarithms of weights that sum to 1
 * @param means [B, K, d]
 * @param factors [B, K, d, d], lower triangles L with a positive diagonal; a covariance is L Lᵀ
 */
public record GaussianMixture(Tensor logWeights, Tensor means, Tensor factors) {
  private static final double LOG_TWO_PI = Math.log(2 * Math.PI);

  /** The dimension d. */
  public long dimensions() {
    return means.size(2);
  }

  /** The number K of components. */
  public long components() {
    return means.size(1);
  }

  /** Logarithms of the densities of points: [B, d] to [B]. */
  public Tensor logDensity(Tensor points) {
    int d = Math.toIntExact(dimensions());
    Tensor off = points.unsqueeze(1).sub(means); // [B, K, d]
    Tensor sum = logWeights.sub(0.5 * d * LOG_TWO_PI);
    Tensor[] solved = new Tensor[d]; // of L z = off, from the first row on
    for (int i = 0; i < d; i++) {
      Tensor left = off.select(2, i);
      for (int j = 0; j < i; j++) {
        left = left.sub(entry(i, j).mul(solved[j]));
      }
      Tensor diagonal = entry(i, i);
      solved[i] = left.div(diagonal);
      sum = sum.sub(solved[i].square().mul(0.5)).sub(diagonal.log());
    }
    return sum.logSumExp(1, false);
  }

  private Tensor entry(int row, int column) {
    return factors.select(2, row).select(2, column);
  }

  /** Draws a point of each mixture: [B, d]. */
  public Tensor sample() {
    long d = dimensions();
    Tensor chosen = logWeights.exp().multinomial(1, true); // [B, 1]
    Tensor index = chosen.unsqueeze(2).expand(chosen.size(0), 1, d);
    Tensor mean = means.gather(1, index).squeeze(1);
    Tensor wide = index.unsqueeze(3).expand(chosen.size(0), 1, d, d);
    Tensor factor = factors.gather(1, wide).squeeze(1);
    Tensor noise = Tensor.randn(chosen.size(0), d, 1).to(means.dtype());
    return mean.add(factor.matmul(noise).squeeze(2));
  }

  /** The means of the mixtures: [B, d]. */
  public Tensor mean() {
    return logWeights.exp().unsqueeze(2).mul(means).sum(1, false);
  }

  /**
   * What is known after observations of a point with normal noise of known variance, in one
   * dimension: the exact posterior, which is a mixture again.
   *
   * @param observations [B, n]
   * @param variance of the noise
   */
  public GaussianMixture afterObservations(Tensor observations, double variance) {
    if (dimensions() != 1) {
      throw new IllegalArgumentException(
          "the mixture has " + dimensions() + " dimensions: expected one");
    }
    double n = observations.size(1);
    Tensor mean = observations.mean(1, true); // [B, 1]
    Tensor before = factors.select(3, 0).select(2, 0).square(); // [B, K]
    Tensor centre = means.select(2, 0);
    double noise = variance / n;
    Tensor total = before.add(noise);
    Tensor gain = before.div(total);
    Tensor after = centre.add(gain.mul(mean.sub(centre)));
    Tensor evidence =
        logWeights.sub(mean.sub(centre).square().div(total).mul(0.5)).sub(total.log().mul(0.5));
    return new GaussianMixture(
        evidence.logSoftmax(1),
        after.unsqueeze(2),
        gain.mul(noise).sqrt().unsqueeze(2).unsqueeze(3));
  }

  /**
   * What is known after a linear step with normal noise, in one dimension: θ becomes {@code factor}
   * θ plus noise.
   */
  public GaussianMixture afterStep(double factor, double variance) {
    if (dimensions() != 1) {
      throw new IllegalArgumentException(
          "the mixture has " + dimensions() + " dimensions: expected one");
    }
    return new GaussianMixture(
        logWeights, means.mul(factor), factors.square().mul(factor * factor).add(variance).sqrt());
  }
}
