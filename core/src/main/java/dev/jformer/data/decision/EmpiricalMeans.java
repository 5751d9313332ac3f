package dev.jformer.data.decision;

import java.util.SplittableRandom;

/**
 * A control: chooses each arm once, and then the one with the largest mean of its rewards. It
 * neither explores nor looks at features.
 */
public record EmpiricalMeans() implements Policy<LinearBandit> {
  @Override
  public String name() {
    return "empirical means";
  }

  @Override
  public Policy.Run start(LinearBandit environment) {
    return new Run(environment.arms());
  }

  private static final class Run implements Policy.Run {
    private final double[] means;
    private final int[] counts;

    Run(int arms) {
      means = new double[arms];
      counts = new int[arms];
    }

    @Override
    public int choose(SplittableRandom random) {
      double[] scores = new double[means.length];
      for (int arm = 0; arm < scores.length; arm++) {
        scores[arm] = counts[arm] == 0 ? Double.POSITIVE_INFINITY : means[arm];
      }
      return Largest.of(scores);
    }

    @Override
    public void learn(int action, double reward) {
      counts[action]++;
      means[action] += (reward - means[action]) / counts[action];
    }
  }
}
