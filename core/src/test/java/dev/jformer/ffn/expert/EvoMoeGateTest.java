package dev.jformer.ffn.expert;

import static dev.jformer.ffn.expert.GateChecks.COUNT;
import static dev.jformer.ffn.expert.GateChecks.NOISE;
import static dev.jformer.ffn.expert.GateChecks.TOKENS;
import static dev.jformer.ffn.expert.GateChecks.WIDTH;
import static dev.jformer.ffn.expert.GateChecks.check;
import static dev.jformer.ffn.expert.GateChecks.experts;
import static dev.jformer.ffn.expert.GateChecks.noise;
import static dev.jformer.ffn.expert.GateChecks.pairsPerToken;
import static dev.jformer.ffn.expert.NaiveExperts.largest;
import static dev.jformer.ffn.expert.NaiveExperts.scores;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.NaiveExperts.Decision;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** EvoMoE's gate beside its definition, in float64, and its stages. */
@ExtendWith(Scoped.class)
class EvoMoeGateTest {
  @ParameterizedTest
  @CsvSource({"0, 2", "5, 1.15", "10, 0.3"})
  void denseToSparse(int step, double temperature) {
    Experts experts = experts(new EvoMoeGate.Config(2, 0.3, 0.6, 1, 0.5));
    experts.before(step, 10);
    float cooled = (float) temperature;
    check(
        experts,
        (x, w) -> {
          Random.seed(NOISE);
          double[][] uniform = noise(Tensor.rand(TOKENS, COUNT));
          double[][] scores = scores(x, w, "scores.weight");
          double[][] weights = new double[TOKENS][COUNT];
          double[] mean = new double[COUNT];
          double[] running = new double[COUNT];
          for (int t = 0; t < TOKENS; t++) {
            double[] noisy = new double[COUNT];
            for (int e = 0; e < COUNT; e++) {
              noisy[e] = (scores[t][e] - Math.log(-Math.log(uniform[t][e]))) / cooled;
            }
            double[] p = Loops.softmax(noisy);
            for (int e = 0; e < COUNT; e++) {
              boolean runs = step == 10 ? e == largest(p, 1)[0] : p[e] >= 0.6 / COUNT;
              weights[t][e] = runs ? p[e] : 0;
              running[e] += runs ? 1.0 / TOKENS : 0;
              mean[e] += weights[t][e] / TOKENS;
            }
          }
          double loss = 0;
          for (int e = 0; e < COUNT; e++) {
            loss += 0.5 * COUNT * mean[e] * running[e];
          }
          return new Decision(weights, loss);
        });
  }

  /** With the default threshold nearly all experts run when training begins. */
  @Test
  void beginsDense() {
    Random.seed(3);
    Experts experts =
        (Experts)
            new Experts.Config(new Mlp.Config(), 8, new EvoMoeGate.Config())
                .build(Sites.causal(16));
    experts.gate().before(0, 100);
    double running = pairsPerToken(experts, Tensor.randn(1, 200, 16));
    assertTrue(running > 7.8, "experts for each token: " + running);
  }

  @Test
  void denseToSparseGoesFromManyExpertsToOne() {
    Experts experts =
        (Experts)
            new Experts.Config(new Mlp.Config(), 8, new EvoMoeGate.Config())
                .build(Sites.causal(WIDTH));
    Tensor x = Tensor.randn(4, 50, WIDTH);
    double[] perToken = new double[4];
    int[] steps = {0, 40, 79, 80};
    for (int i = 0; i < 4; i++) {
      experts.before(steps[i], 100);
      perToken[i] = pairsPerToken(experts, x);
    }
    assertTrue(
        perToken[0] > 5 && perToken[0] > perToken[1] && perToken[1] > perToken[2],
        Arrays.toString(perToken));
    assertTrue(perToken[2] > 1);
    assertEquals(1, perToken[3], 0);
  }
}
