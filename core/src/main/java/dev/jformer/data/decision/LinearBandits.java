package dev.jformer.data.decision;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Stochastic linear bandits, as in <a href="https://arxiv.org/abs/2310.08566">Transformers as
 * Decision Makers: Provable In-Context Reinforcement Learning via Supervised Pretraining</a>. Each
 * environment has arms of its own, uniform in [-1, 1]^d, which stay the same, and weights θ of its
 * own; an action is an arm, and its reward has the mean θ·x.
 *
 * @param dimension d, the number of features of an arm
 * @param arms A, the number of arms
 * @param steps T, the actions of an interaction
 * @param noise the standard deviation of rewards
 * @param weights how θ is drawn
 */
@SuppressWarnings("rawtypes") // of the service
@AutoService(DecisionProblem.class)
public record LinearBandits(int dimension, int arms, int steps, double noise, Weights weights)
    implements DecisionProblem<LinearBandit> {
  /** Distributions of θ. */
  public enum Weights {
    /** Each uniform in [0, 1]. */
    UNIFORM,
    /** Each from N(0, 1), the prior of {@link GaussianThompson}. */
    NORMAL
  }

  /** Defaults: the paper's bandits, of 10 arms with 5 features. */
  public LinearBandits() {
    this(5, 10, 200, 1.5, Weights.UNIFORM);
  }

  /** Checks the values. */
  public LinearBandits {
    Checks.between("dimension", dimension, 1, 1000);
    Checks.between("arms", arms, 2, 1000);
    Checks.between("steps", steps, 1, 100_000);
    Checks.atLeast("noise", noise, 0);
    Checks.notNull("weights", weights);
  }

  @Override
  public String type() {
    return "linear-bandit";
  }

  @Override
  public int observations() {
    return arms * dimension;
  }

  @Override
  public int actions() {
    return arms;
  }

  @Override
  public int descriptions() {
    return dimension;
  }

  @Override
  public LinearBandit draw(SplittableRandom random) {
    double[][] features = new double[arms][dimension];
    for (double[] each : features) {
      for (int i = 0; i < dimension; i++) {
        each[i] = 2 * random.nextDouble() - 1;
      }
    }
    double[] theta = new double[dimension];
    for (int i = 0; i < dimension; i++) {
      theta[i] = weights == Weights.UNIFORM ? random.nextDouble() : random.nextGaussian();
    }
    return new LinearBandit(features, theta, noise);
  }

  @Override
  public List<Policy<LinearBandit>> policies() {
    return List.of(
        new LinUcb(),
        new GaussianThompson(Math.max(noise, 1e-3)),
        new EmpiricalMeans(),
        new UniformPolicy<>(arms));
  }
}
