package dev.jformer.ffn;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.config.Configs;
import dev.jformer.nn.Activation;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
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

  /** One token's second product reads the rows of the k units only, and follows new weights. */
  @Test
  void skipsUnitsThatDoNotCount() {
    ChannelMixer mixer = new TopKMlp.Config(40, 4, 0).build(Sites.causal(260));
    mixer.train(false);
    for (int round = 0; round < 2; round++) {
      mixer
          .parameters()
          .values()
          .forEach(p -> p.copyFrom(Tensor.randn(p.value().shape().toArray()).mul(0.1)));
      Tensor x = Tensor.randn(3, 1, 260);
      try (Mode mode = Autograd.noGrad()) {
        Tensor all = mixer.forward(x); // several tokens: the whole product
        for (int i = 0; i < 3; i++) {
          Tensor one = mixer.forward(x.narrow(0, i, 1));
          assertClose(all.narrow(0, i, 1), one, 1e-5);
        }
      }
      assertEquals(4L * 260 * 1040, mixer.derivedBytes());
      Tensor wanted = x.narrow(0, 0, 1).requiresGrad(true);
      mixer.forward(wanted).sum().backward();
      assertEquals(wanted.shape(), wanted.grad().shape());
    }
    mixer.close();
    assertEquals(0, mixer.derivedBytes());
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
