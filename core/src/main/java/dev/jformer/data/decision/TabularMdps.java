package dev.jformer.data.decision;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Markov decision processes with few states. Rewards are uniform in [0, 1], one for each state and
 * action; the probabilities of next states are uniform among all distributions. An interaction is a
 * number of episodes, which begin in the state 0.
 *
 * @param states S
 * @param actions A
 * @param horizon H, the actions of an episode
 * @param episodes K
 */
@SuppressWarnings("rawtypes") // of the service
@AutoService(DecisionProblem.class)
public record TabularMdps(int states, int actions, int horizon, int episodes)
    implements DecisionProblem<TabularMdp> {
  /** Defaults: twelve episodes of four actions, three states, three actions. */
  public TabularMdps() {
    this(3, 3, 4, 12);
  }

  /** Checks the values. */
  public TabularMdps {
    Checks.between("states", states, 1, 1000);
    Checks.between("actions", actions, 2, 1000);
    Checks.between("horizon", horizon, 1, 1000);
    Checks.between("episodes", episodes, 1, 100);
  }

  @Override
  public String type() {
    return "tabular-mdp";
  }

  @Override
  public int observations() {
    return states + horizon;
  }

  @Override
  public int steps() {
    return horizon * episodes;
  }

  @Override
  public int descriptions() {
    return 0;
  }

  @Override
  public TabularMdp draw(SplittableRandom random) {
    double[][] rewards = new double[states][actions];
    double[][][] transitions = new double[states][actions][];
    for (int s = 0; s < states; s++) {
      for (int a = 0; a < actions; a++) {
        rewards[s][a] = random.nextDouble();
        transitions[s][a] = distribution(random);
      }
    }
    return new TabularMdp(rewards, transitions, horizon);
  }

  /** Exponential numbers, divided by their sum, are uniform among the distributions. */
  private double[] distribution(SplittableRandom random) {
    double[] probabilities = new double[states];
    double sum = 0;
    for (int s = 0; s < states; s++) {
      probabilities[s] = -Math.log(1 - random.nextDouble()) + Double.MIN_NORMAL;
      sum += probabilities[s];
    }
    for (int s = 0; s < states; s++) {
      probabilities[s] /= sum;
    }
    return probabilities;
  }

  /** UCB-VI with a small bonus, as the one of the theory is for thousands of episodes. */
  @Override
  public List<Policy<TabularMdp>> policies() {
    return List.of(
        new UcbVi(0.01, 0.1, steps()), new UcbVi(0, 0.1, steps()), new UniformPolicy<>(actions));
  }
}
