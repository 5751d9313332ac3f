package dev.jformer.data.decision;

import java.util.SplittableRandom;

/** One environment of a {@link DecisionProblem}, in some state: it is acted in step by step. */
public interface Environment {
  /**
   * Writes what is seen before the next action.
   *
   * @param into an array with a place for it
   * @param at where it begins
   */
  void observe(float[] into, int at);

  /**
   * Writes what is known of an action.
   *
   * @param into an array with a place for it
   * @param at where it begins
   */
  void describe(int action, float[] into, int at);

  /** An action with the greatest expected return, which only who knows the environment can tell. */
  int best();

  /**
   * The expected return that an action loses against {@link #best}, both being followed by the best
   * actions. Its sum over the steps has the expectation of the regret.
   */
  double regret(int action);

  /**
   * Acts, which leads to the next state.
   *
   * @return the reward
   */
  double act(int action, SplittableRandom random);
}
