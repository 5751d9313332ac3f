package dev.jformer.data.decision;

import dev.jformer.config.Checks;
import java.util.SplittableRandom;

/**
 * UCB-VI, value iteration with upper confidence bounds, with the bonus of Chernoff and Hoeffding
 * (<a href="https://arxiv.org/abs/1703.05449">Minimax Regret Bounds for Reinforcement
 * Learning</a>). Before each episode it estimates the transitions by their counts N, and goes back
 * from the last stage:
 *
 * <pre>{@code
 * Q_h(s, a) = min{ Q_h(s, a) of the episode before, H, r(s, a) + Σ P̂(s'|s, a) V_{h+1}(s') + b(s, a) }
 * b(s, a) = c H ln(5 S A T / δ) / √N(s, a),   V_h(s) = max_a Q_h(s, a)
 * }</pre>
 *
 * <p>An action that was never done in a state has Q = H. A reward is known once it was seen. The
 * theory has c = 7, with which it hardly learns in a thousand episodes. Without a bonus, c = 0, it
 * trusts its estimates after one try.
 *
 * @param scale c
 * @param delta δ, the probability with which the bounds may fail
 * @param steps T, the actions of all episodes
 */
public record UcbVi(double scale, double delta, int steps) implements Policy<TabularMdp> {
  /** Checks the values. */
  public UcbVi {
    Checks.atLeast("scale", scale, 0.0);
    Checks.check(delta > 0 && delta < 1, "delta", delta, "a probability above 0 and below 1");
    Checks.atLeast("steps", steps, 1);
  }

  @Override
  public String name() {
    return scale == 0 ? "greedy value iteration" : "UCB-VI";
  }

  @Override
  public Policy.Run start(TabularMdp environment) {
    return new Run(environment);
  }

  private final class Run implements Policy.Run {
    private final TabularMdp environment;
    private final int[][][] counts;
    private final int[][] visits;
    private final double[][] rewards;
    private final double[][][] bounds;
    private int state;

    Run(TabularMdp environment) {
      int states = environment.states();
      int actions = environment.actions();
      this.environment = environment;
      this.counts = new int[states][actions][states];
      this.visits = new int[states][actions];
      this.rewards = new double[states][actions];
      this.bounds = new double[environment.horizon()][states][actions];
      for (double[][] stage : bounds) {
        for (double[] each : stage) {
          java.util.Arrays.fill(each, environment.horizon());
        }
      }
      this.state = environment.state();
    }

    @Override
    public int choose(SplittableRandom random) {
      return Largest.of(bounds[environment.stage()][environment.state()]);
    }

    @Override
    public void learn(int action, double reward) {
      visits[state][action]++;
      counts[state][action][environment.arrived()]++;
      rewards[state][action] = reward;
      state = environment.state();
      if (environment.stage() == 0) {
        plan();
      }
    }

    private void plan() {
      double[] next = new double[rewards.length];
      for (int stage = bounds.length - 1; stage >= 0; stage--) {
        double[] here = new double[next.length];
        for (int s = 0; s < here.length; s++) {
          double[] mine = bounds[stage][s];
          for (int a = 0; a < mine.length; a++) {
            if (visits[s][a] > 0) {
              mine[a] = Math.min(mine[a], bound(s, a, next));
            }
          }
          here[s] = mine[Largest.of(mine)];
        }
        next = here;
      }
    }

    private double bound(int s, int a, double[] next) {
      double expected = 0;
      for (int to = 0; to < next.length; to++) {
        expected += (double) counts[s][a][to] / visits[s][a] * next[to];
      }
      int horizon = bounds.length;
      double logarithm = Math.log(5.0 * next.length * rewards[s].length * steps / delta);
      double bonus = scale * horizon * logarithm / Math.sqrt(visits[s][a]);
      return rewards[s][a] + expected + bonus;
    }
  }
}
