package dev.jformer.data.decision;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * An environment of {@link LinearBandits}: arms with known features, and a reward of {@code θ·x}
 * and noise for the arm with the features x.
 */
public final class LinearBandit implements Environment {
  private final double[][] features;
  private final double[] means;
  private final double noise;
  private final int best;

  /**
   * Creates an environment.
   *
   * @param features of each arm
   * @param weights θ
   * @param noise standard deviation of a reward
   */
  public LinearBandit(double[][] features, double[] weights, double noise) {
    this.features = features.clone();
    this.means = new double[features.length];
    this.noise = noise;
    int found = 0;
    for (int arm = 0; arm < means.length; arm++) {
      means[arm] = Largest.dot(features[arm], weights);
      found = means[arm] > means[found] ? arm : found;
    }
    this.best = found;
  }

  /** The number of arms. */
  public int arms() {
    return features.length;
  }

  /** A copy of the features of each arm. */
  public double[][] features() {
    return Arrays.stream(features).map(double[]::clone).toArray(double[][]::new);
  }

  /** The expected reward of an arm, which policies do not know. */
  public double mean(int arm) {
    return means[arm];
  }

  /** Writes the features of all arms, one after the other. */
  @Override
  public void observe(float[] into, int at) {
    int place = at;
    for (double[] each : features) {
      for (double value : each) {
        into[place++] = (float) value;
      }
    }
  }

  /** Writes the features of an arm. */
  @Override
  public void describe(int action, float[] into, int at) {
    for (int i = 0; i < features[action].length; i++) {
      into[at + i] = (float) features[action][i];
    }
  }

  @Override
  public int best() {
    return best;
  }

  @Override
  public double regret(int action) {
    return means[best] - means[action];
  }

  @Override
  public double act(int action, SplittableRandom random) {
    return means[action] + noise * random.nextGaussian();
  }
}
