package dev.jformer.ffn.expert;

import static dev.jformer.ffn.expert.GateChecks.COUNT;
import static dev.jformer.ffn.expert.GateChecks.NOISE;
import static dev.jformer.ffn.expert.GateChecks.TOKENS;
import static dev.jformer.ffn.expert.GateChecks.WIDTH;
import static dev.jformer.ffn.expert.GateChecks.check;
import static dev.jformer.ffn.expert.GateChecks.experts;
import static dev.jformer.ffn.expert.GateChecks.pairsPerToken;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.ffn.expert.NaiveExperts.Decision;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** THOR's gate beside its definition, in float64, and what shares a draw. */
@ExtendWith(Scoped.class)
class ThorGateTest {
  @Test
  void randomForEachToken() {
    check(
        experts(new ThorGate.Config(ThorGate.Draw.TOKEN, ThorGate.Draw.TOKEN)),
        (x, w) -> {
          Random.seed(NOISE);
          long[] drawn = Tensor.randint(0, COUNT, TOKENS).toLongs();
          double[][] weights = new double[TOKENS][COUNT];
          for (int t = 0; t < TOKENS; t++) {
            weights[t][(int) drawn[t]] = 1;
          }
          return new Decision(weights, 0);
        });
  }

  @Test
  void averageOfAll() {
    check(
        experts(new ThorGate.Config(ThorGate.Draw.AVERAGE, ThorGate.Draw.AVERAGE)),
        (x, w) -> {
          double[][] weights = new double[TOKENS][COUNT];
          Arrays.stream(weights).forEach(row -> Arrays.fill(row, 1.0 / COUNT));
          return new Decision(weights, 0);
        });
  }

  @ParameterizedTest
  @EnumSource(
      value = ThorGate.Draw.class,
      names = {"TOKEN", "SEQUENCE", "BATCH"})
  void whatSharesADrawHasOneExpert(ThorGate.Draw draw) {
    for (boolean training : new boolean[] {true, false}) {
      ThorGate.Draw other = ThorGate.Draw.AVERAGE;
      Experts experts =
          experts(training ? new ThorGate.Config(draw, other) : new ThorGate.Config(other, draw));
      experts.train(training);
      int most =
          switch (draw) {
            case TOKEN -> 40 * 25;
            case SEQUENCE -> 40;
            default -> 1;
          };
      long[] counts = new long[COUNT];
      experts.watch(
          routing -> {
            for (int e = 0; e < COUNT; e++) {
              counts[e] += routing.counts()[e];
              assertEquals(0, routing.counts()[e] % (40 * 25 / most), "one draw, one expert");
            }
          });
      for (int i = 0; i < 60; i++) {
        experts.forward(Tensor.randn(40, 25, WIDTH));
      }
      // A binomial distribution's mean and five of its deviations.
      double far = 5 * Math.sqrt(60.0 * most * 2 / 9) * (40.0 * 25 / most);
      for (long count : counts) {
        assertEquals(20_000.0, (double) count, far);
      }
    }
  }

  @Test
  void inferenceCanDrawAnotherWay() {
    Experts experts = experts(new ThorGate.Config());
    experts.train(false);
    Tensor x = Tensor.randn(3, 7, WIDTH);
    assertEquals(1, pairsPerToken(experts, x), 0);
    ((ThorGate) experts.gate()).setInferenceDraw(ThorGate.Draw.AVERAGE);
    assertEquals(COUNT, pairsPerToken(experts, x), 0);
  }
}
