package dev.jformer.data.decision;

import dev.jformer.config.Part;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A distribution of environments in which actions are chosen, one after the other, by what was seen
 * and rewarded before.
 *
 * @param <E> the kind of the environments
 */
public interface DecisionProblem<E extends Environment> extends Part {
  /** o, the numbers of an observation. */
  int observations();

  /** A, the number of actions. */
  int actions();

  /** k, the numbers that describe an action beside its index; 0 if there are none. */
  int descriptions();

  /** T, the number of actions in an interaction. */
  int steps();

  /** Draws an environment, in its first state. */
  E draw(SplittableRandom random);

  /** Classical policies for such environments, best first; the last one learns nothing. */
  List<Policy<E>> policies();
}
