package dev.jformer.data.decision;

import dev.jformer.config.Checks;
import java.util.SplittableRandom;

/**
 * Follows one of two policies in each whole interaction.
 *
 * @param first chosen with the probability {@code share}
 * @param second chosen otherwise
 * @param share from 0 to 1
 * @param <E> the environments for which both are made
 */
public record MixedPolicy<E extends Environment>(Policy<E> first, Policy<E> second, double share)
    implements Policy<E> {
  /** Checks the values. */
  public MixedPolicy {
    Checks.notNull("first", first);
    Checks.notNull("second", second);
    Checks.check(share >= 0 && share <= 1, "share", share, "a probability from 0 to 1");
  }

  @Override
  public String name() {
    return first.name() + " or " + second.name();
  }

  @Override
  public Policy.Run start(E environment) {
    return new Run(first.start(environment), second.start(environment));
  }

  private final class Run implements Policy.Run {
    private final Policy.Run one;
    private final Policy.Run other;
    private Policy.Run followed;

    Run(Policy.Run one, Policy.Run other) {
      this.one = one;
      this.other = other;
    }

    @Override
    public int choose(SplittableRandom random) {
      if (followed == null) {
        followed = random.nextDouble() < share ? one : other;
      }
      return followed.choose(random);
    }

    @Override
    public void learn(int action, double reward) {
      one.learn(action, reward);
      other.learn(action, reward);
    }
  }
}
