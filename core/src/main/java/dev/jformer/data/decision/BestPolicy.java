package dev.jformer.data.decision;

import java.util.SplittableRandom;

/**
 * Who knows the environment: chooses the best action always. Decision-pretrained models learn to
 * predict its actions (<a href="https://arxiv.org/abs/2306.14892">Supervised Pretraining Can Learn
 * In-Context Reinforcement Learning</a>).
 *
 * @param <E> any environments
 */
public record BestPolicy<E extends Environment>() implements Policy<E> {
  @Override
  public String name() {
    return "best action";
  }

  @Override
  public Policy.Run start(E environment) {
    return new Policy.Run() {
      @Override
      public int choose(SplittableRandom random) {
        return environment.best();
      }

      @Override
      public void learn(int action, double reward) {}
    };
  }
}
