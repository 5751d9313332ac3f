package dev.jformer.data.decision;

import java.util.SplittableRandom;

/**
 * A way to choose actions by what was seen and rewarded before.
 *
 * @param <E> the environments for which it is made
 */
public interface Policy<E extends Environment> {
  /** A short name for tables. */
  String name();

  /**
   * Starts an interaction.
   *
   * @param environment in its first state; the run uses what is given or seen only, unless it
   *     stands for one who knows the environment
   */
  Run start(E environment);

  /** A policy in the middle of an interaction. */
  interface Run {
    /** Chooses an action in the environment's present state. */
    int choose(SplittableRandom random);

    /**
     * Learns from an action, which may have been another policy's, and its reward. It is called
     * after each action, when the environment is in its next state.
     */
    void learn(int action, double reward);
  }
}
