package dev.jformer.ffn.expert;

import static dev.jformer.ffn.expert.GateChecks.COUNT;
import static dev.jformer.ffn.expert.GateChecks.NOISE;
import static dev.jformer.ffn.expert.GateChecks.TOKENS;
import static dev.jformer.ffn.expert.GateChecks.WIDTH;
import static dev.jformer.ffn.expert.GateChecks.check;
import static dev.jformer.ffn.expert.GateChecks.experts;
import static dev.jformer.ffn.expert.GateChecks.forward;
import static dev.jformer.ffn.expert.GateChecks.noise;
import static dev.jformer.ffn.expert.NaiveExperts.balance;
import static dev.jformer.ffn.expert.NaiveExperts.largest;
import static dev.jformer.ffn.expert.NaiveExperts.scores;
import static dev.jformer.ffn.expert.NaiveExperts.softmax;
import static dev.jformer.ffn.expert.NaiveExperts.variation;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.ffn.expert.NaiveExperts.Decision;
import dev.jformer.ffn.internal.BalancedAssignment;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The gates that others' experts are compared with, beside their definitions: output, losses and
 * gradients, in float64.
 */
@ExtendWith(Scoped.class)
class GatesTest {
  @ParameterizedTest
  @CsvSource({"1, true", "2, true", "2, false", "3, true"})
  void topK(int k, boolean renormalise) {
    check(
        experts(new TopKGate.Config(k, renormalise, 0.3)),
        (x, w) -> {
          double[][] scores = scores(x, w, "scores.weight");
          double[][] p = softmax(scores);
          double[][] weights = new double[TOKENS][COUNT];
          int[][] chosen = new int[TOKENS][];
          for (int t = 0; t < TOKENS; t++) {
            double[] row = scores[t];
            chosen[t] = largest(row, k);
            double[] among =
                Loops.softmax(Arrays.stream(chosen[t]).mapToDouble(e -> row[e]).toArray());
            for (int i = 0; i < k; i++) {
              int e = chosen[t][i];
              weights[t][e] = renormalise && k > 1 ? among[i] : p[t][e];
            }
          }
          return new Decision(weights, 0.3 * balance(chosen, p));
        });
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 1})
  void switching(double capacity) {
    int most = capacity == 0 ? TOKENS : (int) Math.ceil(capacity * TOKENS / COUNT);
    check(
        experts(new SwitchGate.Config(capacity, 0.2, 0)),
        (x, w) -> {
          double[][] p = softmax(scores(x, w, "scores.weight"));
          double[][] weights = new double[TOKENS][COUNT];
          int[][] chosen = new int[TOKENS][];
          int[] taken = new int[COUNT];
          for (int t = 0; t < TOKENS; t++) {
            chosen[t] = largest(p[t], 1);
            int e = chosen[t][0];
            weights[t][e] = taken[e]++ < most ? p[t][e] : 0;
          }
          return new Decision(weights, 0.2 * balance(chosen, p));
        });
  }

  @Test
  void switchingWithJitterSeesScaledInput() {
    check(
        experts(new SwitchGate.Config(0, 0, 0.25)),
        (x, w) -> {
          Random.seed(NOISE);
          double[] uniform = Tensor.rand(TOKENS, WIDTH).toDoubles();
          double[][] seen = new double[TOKENS][WIDTH];
          for (int i = 0; i < uniform.length; i++) {
            seen[i / WIDTH][i % WIDTH] = x[i / WIDTH][i % WIDTH] * (0.75 + 0.5 * uniform[i]);
          }
          double[][] p = softmax(scores(seen, w, "scores.weight"));
          double[][] weights = new double[TOKENS][COUNT];
          for (int t = 0; t < TOKENS; t++) {
            int e = largest(p[t], 1)[0];
            weights[t][e] = p[t][e];
          }
          return new Decision(weights, 0);
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void noisyTopK(int k) {
    check(
        experts(new NoisyTopKGate.Config(k, 0.2, 0.4)),
        (x, w) -> {
          Random.seed(NOISE);
          double[][] drawn = noise(Tensor.randn(TOKENS, COUNT));
          double[][] clean = scores(x, w, "scores.weight");
          double[][] deviation =
              Loops.map(scores(x, w, "noise.weight"), v -> Math.log1p(Math.exp(v)) + 0.01);
          double[][] weights = new double[TOKENS][COUNT];
          double[] importance = new double[COUNT];
          double[] load = new double[COUNT];
          for (int t = 0; t < TOKENS; t++) {
            double[] seen = new double[COUNT];
            for (int e = 0; e < COUNT; e++) {
              seen[e] = clean[t][e] + drawn[t][e] * deviation[t][e];
            }
            int[] chosen = largest(seen, k);
            double[] among =
                Loops.softmax(Arrays.stream(chosen).mapToDouble(e -> seen[e]).toArray());
            for (int i = 0; i < k; i++) {
              weights[t][chosen[i]] = among[i];
              importance[chosen[i]] += among[i];
            }
            for (int e = 0; e < COUNT; e++) {
              int expert = e;
              double[] others =
                  IntStream.range(0, COUNT)
                      .filter(o -> o != expert)
                      .mapToDouble(o -> -seen[o])
                      .sorted()
                      .toArray();
              double toBeat = -others[k - 1];
              load[e] +=
                  (1 + Loops.erf((clean[t][e] - toBeat) / deviation[t][e] / Math.sqrt(2))) / 2;
            }
          }
          double loss = 0.2 * variation(importance) + 0.4 * variation(load);
          return new Decision(weights, loss);
        });
  }

  /** However far below zero the raw noise scores are. */
  @ParameterizedTest
  @ValueSource(doubles = {0, -10, -44, -60, -104, -1000})
  void noisyTopKHasFiniteGradientsWithoutNoise(double raw) {
    Experts experts = experts(new NoisyTopKGate.Config(1, 0.2, 0.4));
    experts.parameters().get("gate.noise.weight").copyFrom(Tensor.full(raw, DType.FLOAT32, 3, 4));
    Tensor drawn = Tensor.randn(COUNT, WIDTH);
    experts.parameters().get("gate.scores.weight").copyFrom(drawn);
    Tensor x = Tensor.rand(1, TOKENS, WIDTH).add(0.1).requiresGrad(true);
    Tensor y = forward(experts, x);
    assertTrue(y.isFinite().all());
    y.square().sum().backward();
    assertTrue(x.grad().isFinite().all());
    for (String name : new String[] {"gate.noise.weight", "gate.scores.weight"}) {
      Tensor gradient = experts.parameters().get(name).value().grad();
      assertTrue(gradient.isFinite().all(), name + ": " + gradient);
    }
  }

  @Test
  void hashing() {
    Experts experts = experts(new HashGate.Config(3));
    long[] expert = ((HashGate) experts.gate()).expert(Tensor.arange(0, 4)).toLongs();
    check(
        experts,
        (x, w) -> {
          double[][] weights = new double[TOKENS][COUNT];
          for (int t = 0; t < TOKENS; t++) {
            weights[t][(int) expert[t % 4]] = 1;
          }
          return new Decision(weights, 0);
        });
  }

  @Test
  void hashingSpreadsWordsOverExperts() {
    Gate gate = new HashGate.Config().build(Sites.causal(WIDTH), 8);
    int[] counts = new int[8];
    for (long e : ((HashGate) gate).expert(Tensor.arange(0, 8000)).toLongs()) {
      counts[(int) e]++;
    }
    // A fair draw gives 1000 with a deviation of 30.
    assertTrue(Arrays.stream(counts).allMatch(c -> c > 850 && c < 1150), Arrays.toString(counts));
  }

  @Test
  void base() {
    // All 3¹¹ are tried once: steps as small as those of the gradient check do not change the best.
    int[][] best = new int[1][];
    check(
        experts(new BaseGate.Config()),
        (x, w) -> {
          double[][] scores = scores(x, w, "centroids");
          best[0] = best[0] == null ? NaiveExperts.bestAssignment(scores, 4) : best[0];
          int[] chosen = best[0];
          double[][] weights = new double[TOKENS][COUNT];
          for (int t = 0; t < TOKENS; t++) {
            weights[t][chosen[t]] = Loops.sigmoid(scores[t][chosen[t]]);
          }
          return new Decision(weights, 0);
        });
  }

  @Test
  void stableWhileItLearns() {
    check(
        experts(new StableGate.Config(4, 0.1, 6, 0.3, 0.7)),
        (x, w) -> {
          double[][] scores = scores(x, w, "centroids");
          double[][] weights = new double[TOKENS][COUNT];
          int[] chosen = new int[TOKENS];
          double[] count = new double[COUNT];
          for (int t = 0; t < TOKENS; t++) {
            chosen[t] = largest(scores[t], 1)[0];
            weights[t][chosen[t]] = Loops.sigmoid(scores[t][chosen[t]]);
            count[chosen[t]]++;
          }
          double[][] words = w.matrix("gate.words");
          double[][] features =
              IntStream.range(0, TOKENS).mapToObj(t -> words[t % 4]).toArray(double[][]::new);
          double[][] light = scores(features, w, "wordCentroids");
          double share = (double) TOKENS / COUNT;
          double distill = 0;
          double excess = 0;
          for (int t = 0; t < TOKENS; t++) {
            int e = chosen[t];
            distill += (Loops.logSumExp(light[t]) - light[t][e]) / TOKENS;
            excess += (count[e] - share) / share * weights[t][e] / TOKENS;
          }
          return new Decision(weights, 0.7 * distill + 0.3 * excess);
        });
  }

  @Test
  void stableOnceItIsSettled() {
    Experts experts = experts(new StableGate.Config(4, 0.1, 6, 0.3, 0.7));
    experts.before(10, 100);
    experts.parameters().get("gate.words").freeze(true);
    experts.parameters().get("gate.wordCentroids").freeze(true);
    check(
        experts,
        (x, w) -> {
          double[][] light = scores(w.matrix("gate.words"), w, "wordCentroids");
          double[][] scores = scores(x, w, "centroids");
          double[][] weights = new double[TOKENS][COUNT];
          for (int t = 0; t < TOKENS; t++) {
            int e = largest(light[t % 4], 1)[0];
            weights[t][e] = Loops.sigmoid(scores[t][e]);
          }
          return new Decision(weights, 0);
        });
  }

  @Test
  void theBestAssignmentIsFoundAndNoExpertGetsMoreThanItsShare() {
    java.util.Random random = new java.util.Random(5);
    for (int round = 0; round < 60; round++) {
      int experts = 2 + round % 3;
      int tokens = 1 + random.nextInt(8);
      double[][] scores = new double[tokens][experts];
      for (double[] row : scores) {
        // Few different values, so that ties occur as well.
        Arrays.setAll(row, e -> random.nextInt(2) == 0 ? random.nextGaussian() : random.nextInt(3));
      }
      int share = (tokens + experts - 1) / experts;
      int[] found = BalancedAssignment.of(scores, experts);
      int[] best = NaiveExperts.bestAssignment(scores, share);
      assertEquals(value(scores, best), value(scores, found), 1e-9, "round " + round);
      for (int e = 0; e < experts; e++) {
        int expert = e;
        assertTrue(Arrays.stream(found).filter(c -> c == expert).count() <= share);
      }
    }
  }

  @Test
  void aLargeAssignmentIsBalancedAndNoExchangeOfTwoTokensImprovesIt() {
    java.util.Random random = new java.util.Random(6);
    double[][] scores = new double[512][8];
    for (double[] row : scores) {
      // All prefer the first expert.
      Arrays.setAll(row, e -> random.nextGaussian() + (e == 0 ? 3 : 0));
    }
    int[] found = BalancedAssignment.of(scores, 8);
    int[] counts = new int[8];
    Arrays.stream(found).forEach(e -> counts[e]++);
    assertArrayEquals(new int[] {64, 64, 64, 64, 64, 64, 64, 64}, counts);
    for (int a = 0; a < found.length; a++) {
      for (int b = 0; b < a; b++) {
        double now = scores[a][found[a]] + scores[b][found[b]];
        double exchanged = scores[a][found[b]] + scores[b][found[a]];
        assertTrue(exchanged <= now + 1e-9);
      }
    }
  }

  private static double value(double[][] scores, int[] chosen) {
    return IntStream.range(0, chosen.length).mapToDouble(t -> scores[t][chosen[t]]).sum();
  }

  @Test
  void gatesRefuseWhatCannotBe() {
    assertThrows(IllegalArgumentException.class, () -> experts(new TopKGate.Config(4, true, 0)));
    assertThrows(IllegalArgumentException.class, () -> new SwitchGate.Config(-1, 0, 0));
    assertThrows(
        IllegalArgumentException.class, () -> experts(new SmoeDropoutGate.Config(3, 2, 0)));
    assertThrows(IllegalArgumentException.class, () -> new EvoMoeGate.Config(0.1, 0.3, 0.5, 1, 0));
    Experts hash = experts(new HashGate.Config());
    assertTrue(
        assertThrows(IllegalStateException.class, () -> hash.forward(Tensor.randn(1, 3, WIDTH)))
            .getMessage()
            .startsWith("the gate 'hash' routes by token ids"));
    Experts stable = experts(new StableGate.Config(3, 0.1, 2, 0, 0));
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> forward(stable, Tensor.randn(1, TOKENS, WIDTH)))
            .getMessage()
            .startsWith("the gate 'stable' has a vocab of 3, but a token has the id 3"));
  }
}
