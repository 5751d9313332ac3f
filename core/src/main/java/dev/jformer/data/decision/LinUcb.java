package dev.jformer.data.decision;

import dev.jformer.config.Checks;
import dev.jformer.data.incontext.GaussianPosterior;
import java.util.SplittableRandom;

/**
 * LinUCB (<a href="https://arxiv.org/abs/1003.0146">A Contextual-Bandit Approach to Personalized
 * News Article Recommendation</a>): chooses the arm with the largest {@code θ̂·x + α √(xᵀA⁻¹x)},
 * where {@code A = λI + Σ x xᵀ} over the arms chosen so far and {@code θ̂ = A⁻¹ Σ r x} is ridge
 * regression. Without a bonus, α = 0, it is greedy.
 *
 * @param lambda λ, above 0
 * @param bonus α
 */
public record LinUcb(double lambda, double bonus) implements Policy<LinearBandit> {
  /** Defaults: the values of the paper on decision makers. */
  public LinUcb() {
    this(1, 2);
  }

  /** Checks the values. */
  public LinUcb {
    Checks.moreThan("lambda", lambda, 0);
    Checks.atLeast("bonus", bonus, 0.0);
  }

  @Override
  public String name() {
    return bonus == 0 ? "greedy ridge regression" : "LinUCB";
  }

  @Override
  public Policy.Run start(LinearBandit environment) {
    return new Run(environment);
  }

  private final class Run implements Policy.Run {
    private final double[][] features;

    /** With noise of the variance λ, its covariance is λA⁻¹ and its mean θ̂. */
    private final GaussianPosterior posterior;

    Run(LinearBandit environment) {
      features = environment.features();
      posterior = new GaussianPosterior(features[0].length, lambda);
    }

    @Override
    public int choose(SplittableRandom random) {
      double[] scores = new double[features.length];
      for (int arm = 0; arm < scores.length; arm++) {
        double[] x = features[arm];
        double width = Math.max(0, posterior.variance(x) - lambda) / lambda;
        scores[arm] = posterior.predict(x) + bonus * Math.sqrt(width);
      }
      return Largest.of(scores);
    }

    @Override
    public void learn(int action, double reward) {
      posterior.observe(features[action], reward);
    }
  }
}
