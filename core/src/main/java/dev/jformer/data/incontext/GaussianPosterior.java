package dev.jformer.data.incontext;

import java.util.SplittableRandom;

/**
 * The posterior of the weights of a linear function, whose prior is N(0, I), from examples with
 * noise of a known variance. Its mean is ridge regression.
 */
public final class GaussianPosterior {
  private final double noise;
  private final double[] mean;
  private final double[][] covariance;

  /**
   * Starts at the prior.
   *
   * @param noise the variance of the noise
   */
  public GaussianPosterior(int inputs, double noise) {
    this.noise = noise;
    this.mean = new double[inputs];
    this.covariance = Matrices.identity(inputs, 1);
  }

  /** The expected output. */
  public double predict(double[] x) {
    return Draws.dot(mean, x);
  }

  /** The variance of the output, noise included. */
  public double variance(double[] x) {
    return noise + Draws.dot(x, Matrices.times(covariance, x));
  }

  /** The logarithm of an output's density. */
  public double logDensity(double[] x, double y) {
    double variance = variance(x);
    double error = y - predict(x);
    return -0.5 * (Math.log(2 * Math.PI * variance) + error * error / variance);
  }

  /** Draws weights: the mean, and a root of the covariance times standard normal numbers. */
  public double[] draw(SplittableRandom random) {
    double[][] root = Matrices.cholesky(covariance);
    double[] drawn = Matrices.times(root, Draws.normal(mean.length, random));
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] += mean[i];
    }
    return drawn;
  }

  /** Reads an example. */
  public void observe(double[] x, double y) {
    double error = y - predict(x);
    double[] known = Matrices.times(covariance, x);
    double all = noise + Draws.dot(x, known);
    for (int i = 0; i < mean.length; i++) {
      mean[i] += known[i] / all * error;
      for (int j = 0; j < mean.length; j++) {
        covariance[i][j] -= known[i] * known[j] / all;
      }
    }
  }
}
