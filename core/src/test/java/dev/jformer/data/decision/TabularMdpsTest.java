package dev.jformer.data.decision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.train.RegretCurve;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Values beside exhaustive search over all policies, and UCB-VI beside its definition. */
class TabularMdpsTest {
  /** A process whose numbers the test knows. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Known(double[][] rewards, double[][][] transitions, int horizon) {
    static Known draw(int states, int actions, int horizon, SplittableRandom random) {
      double[][] rewards = new double[states][actions];
      double[][][] transitions = new double[states][actions][states];
      for (int s = 0; s < states; s++) {
        for (int a = 0; a < actions; a++) {
          rewards[s][a] = random.nextDouble();
          double sum = 0;
          for (int to = 0; to < states; to++) {
            transitions[s][a][to] = random.nextDouble();
            sum += transitions[s][a][to];
          }
          for (int to = 0; to < states; to++) {
            transitions[s][a][to] /= sum;
          }
        }
      }
      return new Known(rewards, transitions, horizon);
    }

    TabularMdp process() {
      return new TabularMdp(rewards, transitions, horizon);
    }

    /** The expected return of a policy by stage and state, from a stage on. */
    double follow(int[][] policy, int stage, int state) {
      if (stage == horizon) {
        return 0;
      }
      int action = policy[stage][state];
      double sum = rewards[state][action];
      for (int to = 0; to < rewards.length; to++) {
        sum += transitions[state][action][to] * follow(policy, stage + 1, to);
      }
      return sum;
    }

    double uniform(int stage, int state) {
      if (stage == horizon) {
        return 0;
      }
      double mean = 0;
      for (int a = 0; a < rewards[0].length; a++) {
        double sum = rewards[state][a];
        for (int to = 0; to < rewards.length; to++) {
          sum += transitions[state][a][to] * uniform(stage + 1, to);
        }
        mean += sum / rewards[0].length;
      }
      return mean;
    }
  }

  private static List<int[][]> policies(int states, int actions, int horizon) {
    List<int[][]> all = new ArrayList<>();
    int count = (int) Math.pow(actions, states * horizon);
    for (int code = 0; code < count; code++) {
      int rest = code;
      int[][] policy = new int[horizon][states];
      for (int[] stage : policy) {
        for (int s = 0; s < states; s++) {
          stage[s] = rest % actions;
          rest /= actions;
        }
      }
      all.add(policy);
    }
    return all;
  }

  @Test
  void valuesAreTheBestOfAllPolicies() {
    SplittableRandom random = new SplittableRandom(1);
    List<int[][]> policies = policies(2, 2, 3);
    assertEquals(64, policies.size());
    for (int trial = 0; trial < 10; trial++) {
      Known known = Known.draw(2, 2, 3, random);
      TabularMdp process = known.process();
      for (int stage = 0; stage < 3; stage++) {
        for (int state = 0; state < 2; state++) {
          for (int action = 0; action < 2; action++) {
            double best = 0;
            for (int[][] policy : policies) {
              if (policy[stage][state] == action) {
                best = Math.max(best, known.follow(policy, stage, state));
              }
            }
            assertEquals(best, process.value(stage, state, action), 1e-12);
          }
        }
      }
    }
  }

  @Test
  void actsByItsProbabilities() {
    SplittableRandom random = new SplittableRandom(2);
    Known known = Known.draw(3, 2, 2, random);
    TabularMdp process = known.process();
    int[][] counts = new int[2][3];
    int[] visits = new int[2];
    for (int episode = 0; episode < 20_000; episode++) {
      assertEquals(0, process.state());
      assertEquals(0, process.stage());
      int action = random.nextInt(2);
      assertEquals(known.rewards[0][action], process.act(action, random));
      counts[action][process.arrived()]++;
      visits[action]++;
      assertEquals(process.arrived(), process.state());
      process.act(0, random);
    }
    for (int a = 0; a < 2; a++) {
      for (int to = 0; to < 3; to++) {
        assertEquals(known.transitions[0][a][to], (double) counts[a][to] / visits[a], 0.02);
      }
    }
  }

  /** The regret of a policy is the difference of values at the start. */
  @Test
  void regretsAddUpToTheDifferenceOfValues() {
    SplittableRandom random = new SplittableRandom(3);
    Known known = Known.draw(3, 2, 4, random);
    DecisionProblem<TabularMdp> problem =
        new DecisionProblem<>() {
          @Override
          public String type() {
            return "known";
          }

          @Override
          public int observations() {
            return 7;
          }

          @Override
          public int actions() {
            return 2;
          }

          @Override
          public int descriptions() {
            return 0;
          }

          @Override
          public int steps() {
            return 8;
          }

          @Override
          public TabularMdp draw(SplittableRandom unused) {
            return known.process();
          }

          @Override
          public List<Policy<TabularMdp>> policies() {
            return List.of(new UniformPolicy<>(2));
          }
        };
    double best = Math.max(known.process().value(0, 0, 0), known.process().value(0, 0, 1));
    double expected = 2 * (best - known.uniform(0, 0));
    int count = 20_000;
    RegretCurve curve = RegretCurve.of(problem, new UniformPolicy<>(2), count, 4);
    double square = 0;
    for (double total : curve.totals()) {
      square += (total - curve.total()) * (total - curve.total()) / count;
    }
    assertTrue(expected > 0.1, "there is something to lose");
    assertEquals(expected, curve.total(), 5 * Math.sqrt(square / count));
    assertEquals(0, RegretCurve.of(problem, new BestPolicy<>(), 10, 4).total(), 1e-12);
  }

  /** UCB-VI as the paper writes it: all from the list of transitions, in every episode. */
  private static final class Naive {
    record Seen(int state, int action, double reward, int next) {}

    final int states;
    final int actions;
    final int horizon;
    final double scale;
    final double logarithm;
    final List<Seen> seen = new ArrayList<>();
    Map<List<Integer>, Double> q = new HashMap<>();

    Naive(int states, int actions, int horizon, int steps, double scale, double delta) {
      this.states = states;
      this.actions = actions;
      this.horizon = horizon;
      this.scale = scale;
      this.logarithm = Math.log(5.0 * states * actions * steps / delta);
    }

    double bound(int h, int s, int a) {
      return q.getOrDefault(List.of(h, s, a), (double) horizon);
    }

    double value(int h, int s, Map<List<Integer>, Double> bounds) {
      if (h == horizon) {
        return 0;
      }
      double most = Double.NEGATIVE_INFINITY;
      for (int a = 0; a < actions; a++) {
        most = Math.max(most, bounds.get(List.of(h, s, a)));
      }
      return most;
    }

    void plan() {
      Map<List<Integer>, Double> next = new HashMap<>();
      for (int h = horizon - 1; h >= 0; h--) {
        for (int s = 0; s < states; s++) {
          for (int a = 0; a < actions; a++) {
            int state = s;
            int action = a;
            List<Seen> here =
                seen.stream().filter(x -> x.state == state && x.action == action).toList();
            double bound = horizon;
            if (!here.isEmpty()) {
              double sum = here.get(0).reward;
              sum += scale * horizon * logarithm / Math.sqrt(here.size());
              for (Seen one : here) {
                sum += value(h + 1, one.next, next) / here.size();
              }
              bound = Math.min(bound(h, s, a), Math.min(horizon, sum));
            }
            next.put(List.of(h, s, a), bound);
          }
        }
      }
      q = next;
    }
  }

  @Test
  void ucbViIsThatOfTheDefinition() {
    SplittableRandom random = new SplittableRandom(5);
    for (double scale : new double[] {0, 0.02, 7}) {
      int learned = 0;
      for (int trial = 0; trial < 5; trial++) {
        TabularMdps problem = new TabularMdps(3, 2, 3, 30);
        TabularMdp process = problem.draw(random);
        Policy.Run run = new UcbVi(scale, 0.1, problem.steps()).start(process);
        Naive naive = new Naive(3, 2, 3, problem.steps(), scale, 0.1);
        for (int t = 0; t < problem.steps(); t++) {
          int h = process.stage();
          int s = process.state();
          int chosen = run.choose(random);
          double most = Math.max(naive.bound(h, s, 0), naive.bound(h, s, 1));
          assertEquals(most, naive.bound(h, s, chosen), 1e-9, "step " + t);
          learned += most < 3 ? 1 : 0;
          int action = t % 4 == 0 ? random.nextInt(2) : chosen;
          double reward = process.act(action, random);
          naive.seen.add(new Naive.Seen(s, action, reward, process.arrived()));
          run.learn(action, reward);
          if (process.stage() == 0) {
            naive.plan();
          }
        }
      }
      assertTrue(scale > 1 ? learned == 0 : learned > 100, scale + ": " + learned);
    }
  }

  @Test
  void ucbViLearns() {
    TabularMdps problem = new TabularMdps();
    double learned = RegretCurve.of(problem, problem.policies().get(0), 300, 6).total();
    double uniform = RegretCurve.of(problem, new UniformPolicy<>(3), 300, 6).total();
    assertTrue(learned < 0.8 * uniform, learned + " against " + uniform);
  }

  @Test
  void refusesWhatCannotBe() {
    assertThrows(IllegalArgumentException.class, () -> new TabularMdps(0, 2, 3, 4));
    assertThrows(IllegalArgumentException.class, () -> new TabularMdps(2, 1, 3, 4));
    assertThrows(IllegalArgumentException.class, () -> new UcbVi(-1, 0.1, 10));
    assertThrows(IllegalArgumentException.class, () -> new UcbVi(1, 0, 10));
  }
}
