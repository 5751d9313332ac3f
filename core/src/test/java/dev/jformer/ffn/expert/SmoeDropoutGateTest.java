package dev.jformer.ffn.expert;

import static dev.jformer.ffn.expert.GateChecks.COUNT;
import static dev.jformer.ffn.expert.GateChecks.TOKENS;
import static dev.jformer.ffn.expert.GateChecks.WIDTH;
import static dev.jformer.ffn.expert.GateChecks.check;
import static dev.jformer.ffn.expert.GateChecks.experts;
import static dev.jformer.ffn.expert.GateChecks.pairsPerToken;
import static dev.jformer.ffn.expert.NaiveExperts.largest;
import static dev.jformer.ffn.expert.NaiveExperts.scores;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import org.junit.jupiter.params.provider.ValueSource;

/** SMoE-Dropout's gate beside its definition, in float64, and its growth. */
@ExtendWith(Scoped.class)
class SmoeDropoutGateTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void frozen(int k) {
    Experts experts = experts(new SmoeDropoutGate.Config(k, k, 0));
    check(
        experts,
        (x, w) -> {
          double[][] scores = scores(x, w, "weight");
          double[][] weights = new double[TOKENS][COUNT];
          for (int t = 0; t < TOKENS; t++) {
            double[] row = scores[t];
            int[] chosen = largest(row, k);
            double[] among =
                Loops.softmax(Arrays.stream(chosen).mapToDouble(e -> row[e]).toArray());
            for (int i = 0; i < k; i++) {
              weights[t][chosen[i]] = among[i];
            }
          }
          return new Decision(weights, 0);
        });
  }

  /** The authors' frozen layer has a bias: the same summand for all tokens, never trained. */
  @Test
  void theBiasShiftsAllTokens() {
    Random.seed(3);
    Experts plain = experts(new SmoeDropoutGate.Config(2, 3, 0));
    Experts biased = experts(new SmoeDropoutGate.Config(2, 3, 0, true));
    assertFalse(plain.parameters().containsKey("gate.bias"));
    Tensor bias = biased.parameters().get("gate.bias").value();
    assertFalse(biased.parameters().get("gate.bias").isTrainable());
    assertTrue(bias.abs().max().item() <= 1 / Math.sqrt(WIDTH) && bias.abs().max().item() > 0);
    // Far above the others, one expert is chosen for every token.
    bias.copy_(Tensor.of(new float[] {-50, 50, 0}, 3));
    biased.train(false);
    ((SmoeDropoutGate) biased.gate()).activate(1);
    ExpertLoad load = ExpertLoad.of(biased, () -> biased.forward(Tensor.randn(1, TOKENS, WIDTH)));
    assertEquals(1, load.layers().values().iterator().next().shares().get(1));
  }

  @Test
  void frozenGrowsToAllAndEachNumberCanBeChosenInInference() {
    Experts experts =
        (Experts)
            new Experts.Config(new Mlp.Config(), 16, new SmoeDropoutGate.Config(2, 16, 0))
                .build(Sites.causal(WIDTH));
    Tensor x = Tensor.randn(2, 5, WIDTH);
    int[] expected = {2, 6, 9, 13, 16};
    for (int i = 0; i < expected.length; i++) {
      experts.before(i == 4 ? 999 : i * 250, 1000);
      assertEquals(expected[i], pairsPerToken(experts, x), 0, "training, quarter " + i);
    }
    experts.train(false);
    assertEquals(16, pairsPerToken(experts, x), 0);
    for (int k : new int[] {1, 7, 16}) {
      Experts.activate(experts, k);
      assertEquals(k, pairsPerToken(experts, x), 0);
    }
    assertEquals(
        "k is 17: expected 1 to 16, the number of experts",
        assertThrows(IllegalArgumentException.class, () -> Experts.activate(experts, 17))
            .getMessage());
  }
}
