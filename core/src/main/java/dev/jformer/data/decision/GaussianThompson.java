package dev.jformer.data.decision;

import dev.jformer.config.Checks;
import dev.jformer.data.incontext.GaussianPosterior;
import java.util.SplittableRandom;

/**
 * Thompson sampling for linear bandits with Gaussian noise and the prior N(0, I) of the weights (<a
 * href="https://arxiv.org/abs/1209.3352">Thompson Sampling for Contextual Bandits with Linear
 * Payoffs</a>): draws weights from the posterior, and chooses the arm that is best by them.
 *
 * @param noise the standard deviation of rewards, above 0
 */
public record GaussianThompson(double noise) implements Policy<LinearBandit> {
  /** Checks the value. */
  public GaussianThompson {
    Checks.moreThan("noise", noise, 0);
  }

  @Override
  public String name() {
    return "Thompson sampling";
  }

  @Override
  public Policy.Run start(LinearBandit environment) {
    return new Run(environment);
  }

  private final class Run implements Policy.Run {
    private final double[][] features;
    private final GaussianPosterior posterior;

    Run(LinearBandit environment) {
      features = environment.features();
      posterior = new GaussianPosterior(features[0].length, noise * noise);
    }

    @Override
    public int choose(SplittableRandom random) {
      double[] weights = posterior.draw(random);
      double[] scores = new double[features.length];
      for (int arm = 0; arm < scores.length; arm++) {
        scores[arm] = Largest.dot(features[arm], weights);
      }
      return Largest.of(scores);
    }

    @Override
    public void learn(int action, double reward) {
      posterior.observe(features[action], reward);
    }
  }
}
