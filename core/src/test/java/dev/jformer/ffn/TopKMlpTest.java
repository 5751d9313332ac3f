package dev.jformer.ffn;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.config.Configs;
import dev.jformer.nn.Activation;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class TopKMlpTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 9, 10})
  void matchesItsDefinition(int k) {
    Naive naive =
        (x, w) -> {
          double[][] hidden = Loops.map(Loops.linear(x, w, "up"), v -> Math.max(0, v));
          for (double[] token : hidden) {
            double[] sorted = token.clone();
            Arrays.sort(sorted);
            double smallest = sorted[token.length - k];
            for (int i = 0; i < token.length; i++) {
              token[i] = token[i] >= smallest ? token[i] : 0;
            }
          }
          return Loops.linear(hidden, w, "down");
        };
    ModuleChecks.matches(new TopKMlp.Config(k, 2.5, 0).build(Sites.causal(4)), naive, 5, 4);
  }

  @Test
  void withAllUnitsItIsThePlainPerceptron() {
    ChannelMixer all = new TopKMlp.Config(12, 1, 12).build(Sites.causal(6));
    ChannelMixer plain = new Mlp.Config(Activation.RELU, 1, 12).build(Sites.causal(6));
    plain.parameters().forEach((name, p) -> p.copyFrom(all.parameters().get(name).value()));
    Tensor x = Tensor.randn(2, 3, 6);
    assertClose(plain.forward(x).detach(), all.forward(x).detach(), 1e-6);
  }

  @Test
  void refusesImpossibleNumbersOfUnits() {
    assertThrows(IllegalArgumentException.class, () -> new TopKMlp.Config(0, 4, 0));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new TopKMlp.Config(17, 4, 0).build(Sites.causal(4)));
    assertEquals("k is 17: expected at most the hidden width 16", e.getMessage());
    assertEquals(
        new TopKMlp.Config(8, 4, 0),
        Configs.parse("{\"type\":\"top-k\",\"k\":8}", ChannelMixer.Config.class));
  }
}
