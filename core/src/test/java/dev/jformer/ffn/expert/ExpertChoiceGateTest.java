package dev.jformer.ffn.expert;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.NaiveExperts.Decision;
import dev.jformer.nn.Activation;
import dev.jformer.nn.SequenceContext;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class ExpertChoiceGateTest {
  private static final int WIDTH = 4;
  private static final int COUNT = 3;

  private static Experts experts(double capacity) {
    return (Experts)
        new Experts.Config(
                new Mlp.Config(Activation.GELU, 4, 5), COUNT, new ExpertChoiceGate.Config(capacity))
            .build(Sites.bidirectional(WIDTH));
  }

  /**
   * Output and gradients: each expert takes the tokens of a sequence that are likeliest its own.
   */
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "7, 1", "7, 2", "11, 3", "64, 0.5"})
  void expertsTakeTheTokensOfTheHighestProbability(int length, double capacity) {
    int taken = (int) Math.min(length, Math.ceil(capacity * length / COUNT));
    Experts made = experts(capacity);
    ModuleChecks.matches(
        made,
        made::forward,
        new NaiveExperts(
            (x, w) -> {
              double[][] p = NaiveExperts.softmax(NaiveExperts.scores(x, w, "scores.weight"));
              double[][] weights = new double[x.length][COUNT];
              for (int e = 0; e < COUNT; e++) {
                int expert = e;
                double[] column = Arrays.stream(p).mapToDouble(row -> row[expert]).toArray();
                for (int t : NaiveExperts.largest(column, taken)) {
                  weights[t][e] = p[t][e];
                }
              }
              return new Decision(weights, 0);
            },
            COUNT),
        Tensor.randn(length > 20 ? 1 : 2, length, WIDTH).to(DType.FLOAT64));
  }

  @ParameterizedTest
  @CsvSource({"63, 2", "64, 2", "65, 1.5", "127, 3", "200, 0.1"})
  void allExpertsHaveTheSameLoadInEachSequence(int length, double capacity) {
    Experts experts = experts(capacity);
    List<Routing> routings = new ArrayList<>();
    experts.watch(routings::add);
    experts.forward(Tensor.randn(5, length, WIDTH));
    long each = 5 * (long) Math.min(length, Math.ceil(capacity * length / COUNT));
    assertArrayEquals(new long[] {each, each, each}, routings.get(0).counts());
    assertEquals(0, routings.get(0).dropped());
  }

  @Test
  void paddingAndOtherSequencesHaveNoInfluence() {
    Experts experts = Weights.draw(experts(1));
    Tensor x = Tensor.randn(2, 9, WIDTH).to(DType.FLOAT64);
    boolean[] there = new boolean[18];
    Arrays.fill(there, true);
    Arrays.fill(there, 14, 18, false);
    Tensor alone = experts.forward(x.narrow(0, 1, 1).narrow(1, 0, 5));
    try (SequenceContext tokens = SequenceContext.open(null, Tensor.of(there, 2, 9))) {
      Tensor both = experts.forward(x);
      assertClose(alone.select(0, 0), both.select(0, 1).narrow(0, 0, 5).contiguous(), 1e-12);
      assertArrayEquals(new double[4 * WIDTH], both.select(0, 1).narrow(0, 5, 4).toDoubles());
      assertClose(
          experts.forward(x.narrow(0, 0, 1)).select(0, 0), both.select(0, 0).contiguous(), 1e-12);
    }
  }

  @Test
  void refusesCausalModelsAndMoreThanAllExperts() {
    ExpertChoiceGate.Config gate = new ExpertChoiceGate.Config();
    String causal =
        assertThrows(IllegalArgumentException.class, () -> gate.build(Sites.causal(WIDTH), COUNT))
            .getMessage();
    assertTrue(causal.contains("causal model cannot use it: choose another gate"), causal);
    String many =
        assertThrows(
                IllegalArgumentException.class, () -> gate.build(Sites.bidirectional(WIDTH), 1))
            .getMessage();
    assertTrue(many.contains("capacity is 2.0: expected at most 1"), many);
    assertThrows(IllegalArgumentException.class, () -> new ExpertChoiceGate.Config(0));
  }
}
