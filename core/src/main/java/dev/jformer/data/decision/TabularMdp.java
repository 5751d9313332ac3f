package dev.jformer.data.decision;

import java.util.SplittableRandom;

/**
 * An environment of {@link TabularMdps}: a Markov decision process with few states, whose episodes
 * follow each other. Its values are known from backward induction.
 */
public final class TabularMdp implements Environment {
  private final double[][] rewards;
  private final double[][][] transitions;
  private final double[][][] values;
  private int state;
  private int stage;
  private int arrived;

  /**
   * Creates an environment, whose episodes begin in the state 0.
   *
   * @param rewards of each action in each state [S, A]
   * @param transitions the probability of each next state [S, A, S]
   * @param horizon H, the actions of an episode
   */
  public TabularMdp(double[][] rewards, double[][][] transitions, int horizon) {
    this.rewards = rewards.clone();
    this.transitions = transitions.clone();
    this.values = values(rewards, transitions, horizon);
  }

  /** Q*, by stage, state and action: backward induction. */
  private static double[][][] values(double[][] rewards, double[][][] transitions, int horizon) {
    int states = rewards.length;
    double[][][] all = new double[horizon][states][];
    double[] next = new double[states];
    for (int stage = horizon - 1; stage >= 0; stage--) {
      double[] here = new double[states];
      for (int s = 0; s < states; s++) {
        all[stage][s] = rewards[s].clone();
        for (int a = 0; a < rewards[s].length; a++) {
          all[stage][s][a] += Largest.dot(transitions[s][a], next);
        }
        here[s] = all[stage][s][Largest.of(all[stage][s])];
      }
      next = here;
    }
    return all;
  }

  /** S, the number of states. */
  public int states() {
    return rewards.length;
  }

  /** A, the number of actions. */
  public int actions() {
    return rewards[0].length;
  }

  /** H, the number of actions of an episode. */
  public int horizon() {
    return values.length;
  }

  /** The present state. */
  public int state() {
    return state;
  }

  /** The number of actions done in the present episode. */
  public int stage() {
    return stage;
  }

  /** The state to which the last action led, which is the present one unless an episode ended. */
  public int arrived() {
    return arrived;
  }

  /** The greatest expected return of the rest of an episode that begins with an action. */
  public double value(int stage, int state, int action) {
    return values[stage][state][action];
  }

  /** Writes the state and the stage, a 1 in the place of each and 0 in the others. */
  @Override
  public void observe(float[] into, int at) {
    for (int s = 0; s < states(); s++) {
      into[at + s] = s == state ? 1 : 0;
    }
    for (int h = 0; h < horizon(); h++) {
      into[at + states() + h] = h == stage ? 1 : 0;
    }
  }

  /** Writes nothing: an action is no more than its index. */
  @Override
  public void describe(int action, float[] into, int at) {}

  @Override
  public int best() {
    return Largest.of(values[stage][state]);
  }

  @Override
  public double regret(int action) {
    return values[stage][state][best()] - values[stage][state][action];
  }

  @Override
  public double act(int action, SplittableRandom random) {
    double reward = rewards[state][action];
    double drawn = random.nextDouble();
    double[] probabilities = transitions[state][action];
    arrived = 0;
    while (arrived < probabilities.length - 1 && drawn >= probabilities[arrived]) {
      drawn -= probabilities[arrived++];
    }
    stage = (stage + 1) % horizon();
    state = stage == 0 ? 0 : arrived;
    return reward;
  }
}
