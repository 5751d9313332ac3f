package dev.jformer.data.decision;

import dev.jformer.config.Checks;
import java.util.SplittableRandom;

/**
 * A control that learns nothing: all actions are equally probable.
 *
 * @param actions A
 * @param <E> any environments
 */
public record UniformPolicy<E extends Environment>(int actions) implements Policy<E> {
  /** Checks the value. */
  public UniformPolicy {
    Checks.atLeast("actions", actions, 1);
  }

  @Override
  public String name() {
    return "uniform";
  }

  @Override
  public Policy.Run start(E environment) {
    return new Policy.Run() {
      @Override
      public int choose(SplittableRandom random) {
        return random.nextInt(actions);
      }

      @Override
      public void learn(int action, double reward) {}
    };
  }
}
