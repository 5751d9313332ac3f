package dev.jformer.ffn.expert;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.nn.Activation;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class EmergentExpertsTest {
  private static final long[][] PARTS = {{3, 7, 0}, {1, 2, 11}, {4, 10, 6}, {5, 9, 8}};

  private static EmergentExperts experts(int active) {
    EmergentExperts mixer =
        (EmergentExperts)
            new EmergentExperts.Config(Activation.SILU, 3, 0, 4, active).build(Sites.causal(4));
    mixer.assign(PARTS);
    return mixer;
  }

  /** Each token by itself: units of experts that are not chosen count as zero. */
  private static Naive naive(int active) {
    return (x, w) -> {
      double[][] up = w.matrix("up.weight");
      double[][] hidden = Loops.map(Loops.linear(x, w, "up"), Loops::silu);
      for (int t = 0; t < x.length; t++) {
        double[] scores = new double[4];
        for (int e = 0; e < 4; e++) {
          for (long unit : PARTS[e]) {
            for (int i = 0; i < x[t].length; i++) {
              scores[e] += up[(int) unit][i] * x[t][i] / 3;
            }
          }
        }
        for (int e = 0; e < 4; e++) {
          int better = 0;
          for (double score : scores) {
            better += score > scores[e] ? 1 : 0;
          }
          for (long unit : PARTS[e]) {
            hidden[t][(int) unit] *= better < active ? 1 : 0;
          }
        }
      }
      return Loops.linear(hidden, w, "down");
    };
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void matchesItsDefinition(int active) {
    ModuleChecks.matches(experts(active), naive(active), 5, 4);
  }

  /** With gates, units count as in a gated perceptron, and the gates' weights choose experts. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void gatedOnesMatchTheirDefinition(int active) {
    EmergentExperts mixer =
        (EmergentExperts)
            new EmergentExperts.Config(Activation.SILU, 0, 12, 4, active, true)
                .build(Sites.causal(4));
    mixer.assign(PARTS);
    Naive gated =
        (x, w) -> {
          double[][] rows = w.matrix("gateUp.weight");
          double[][] both = Loops.linear(x, w, "gateUp");
          double[][] hidden = new double[x.length][12];
          for (int t = 0; t < x.length; t++) {
            double[] scores = new double[4];
            for (int e = 0; e < 4; e++) {
              for (long unit : PARTS[e]) {
                for (int i = 0; i < x[t].length; i++) {
                  scores[e] += rows[(int) unit][i] * x[t][i] / 3;
                }
              }
            }
            for (int e = 0; e < 4; e++) {
              int better = 0;
              for (double score : scores) {
                better += score > scores[e] ? 1 : 0;
              }
              for (long unit : PARTS[e]) {
                int u = (int) unit;
                hidden[t][u] = better < active ? Loops.silu(both[t][u]) * both[t][12 + u] : 0;
              }
            }
          }
          return Loops.linear(hidden, w, "down");
        };
    ModuleChecks.matches(mixer, gated, 5, 4);
  }

  @Test
  void withAllExpertsItIsThePerceptronExactly() {
    EmergentExperts all = experts(4);
    ChannelMixer dense = all.config().dense().build(Sites.causal(4));
    dense.parameters().forEach((n, p) -> p.copyFrom(all.parameters().get(n).value().detach()));
    Tensor x = Tensor.randn(2, 5, 4);
    assertTrue(dense.forward(x).detach().sameAs(all.forward(x).detach()));
    assertEquals(dense.parameterCount(), all.parameterCount());
  }

  @Test
  void computesOnlyWhatIsChosen() {
    EmergentExperts mixer =
        (EmergentExperts)
            new EmergentExperts.Config(Activation.GELU, 4, 0, 8, 2).build(Sites.causal(16));
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(50, 16);
      mixer.forward(x);
      double gate = 2.0 * 50 * 16 * 8;
      double quarter = 2 * 2.0 * 50 * 16 * 64 / 4;
      assertEquals(gate + quarter, Flops.of(() -> mixer.forward(x)));
    }
  }

  @Test
  void inferenceKeepsWhatItPutInOrderUntilWeightsChange() {
    EmergentExperts mixer = experts(2);
    Tensor x = Tensor.randn(1, 6, 4);
    Tensor trained = mixer.forward(x).detach();
    try (Mode mode = Autograd.inference()) {
      assertClose(trained, mixer.forward(x), 1e-6);
      assertTrue(mixer.derivedBytes() > 0);
    }
    mixer.parameters().get("up.weight").copyFrom(Tensor.randn(12, 4));
    Tensor changed = mixer.forward(x).detach();
    try (Mode mode = Autograd.inference()) {
      assertClose(changed, mixer.forward(x), 1e-6);
    }
    mixer.assign(new long[][] {{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {9, 10, 11}});
    assertEquals(0, mixer.derivedBytes());
  }

  @Test
  void refusesWhatIsNoPartition() {
    EmergentExperts mixer = experts(2);
    for (long[][] wrong :
        new long[][][] {
          {{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {9, 10, 10}},
          {{0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}},
          {{0, 1}, {2, 3, 4, 5}, {6, 7, 8}, {9, 10, 11}}
        }) {
      assertThrows(IllegalArgumentException.class, () -> mixer.assign(wrong));
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> new EmergentExperts.Config(Activation.GELU, 4, 0, 4, 5));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new EmergentExperts.Config(Activation.GELU, 3, 0, 8, 4).build(Sites.causal(4)));
    assertEquals("experts is 8: expected a divisor of the hidden width 12", e.getMessage());
  }
}
