package dev.jformer.ffn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.quantized.Int8Linear;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class NestedMlpTest {
  private static NestedMlp nested(int width) {
    return (NestedMlp) new NestedMlp.Config().build(Sites.causal(width));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void eachGranularityIsAPerceptronOfTheFirstUnits(int granularity) {
    int units = new int[] {2, 4, 8, 16}[granularity];
    Naive naive =
        (x, w) -> {
          double[][] up = Arrays.copyOf(w.matrix("up.weight"), units);
          double[] bias = Arrays.copyOf(w.vector("up.bias"), units);
          double[][] hidden = Loops.map(Loops.linear(x, up, bias), Loops::gelu);
          double[][] down = Loops.columns(w.matrix("down.weight"), 0, units);
          return Loops.linear(hidden, down, w.vector("down.bias"));
        };
    NestedMlp mixer = nested(4);
    mixer.useInTraining(granularity);
    ModuleChecks.matches(mixer, naive, 3, 4);
    Tensor x = Tensor.randn(1, 2, 4).to(mixer.parameters().get("up.weight").value().dtype());
    Tensor learned = mixer.forward(x).detach();
    mixer.train(false);
    mixer.use(granularity);
    assertTrue(learned.sameAs(mixer.forward(x).detach()));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void gatedOnesNestGateAndUnits(int granularity) {
    int units = new int[] {2, 4, 8, 16}[granularity];
    Naive naive =
        (x, w) -> {
          double[][] both = Loops.linear(x, w, "gateUp");
          double[][] hidden = new double[x.length][units];
          for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < units; i++) {
              hidden[t][i] = Loops.silu(both[t][i]) * both[t][16 + i];
            }
          }
          double[][] down = Loops.columns(w.matrix("down.weight"), 0, units);
          return Loops.linear(hidden, down, w.vector("down.bias"));
        };
    NestedMlp.Config config =
        new NestedMlp.Config(
            Activation.SILU,
            4,
            0,
            List.of(0.125, 0.25, 0.5, 1.0),
            NestedMlp.TrainingMode.ONE,
            true);
    NestedMlp mixer = (NestedMlp) config.build(Sites.causal(4));
    mixer.useInTraining(granularity);
    ModuleChecks.matches(mixer, naive, 3, 4);
  }

  @Test
  void drawsOneGranularityAnUpdateAlikeInAllLayers() {
    NestedMlp first = nested(8);
    NestedMlp second = nested(8);
    second.parameters().forEach((n, p) -> p.copyFrom(first.parameters().get(n).value().detach()));
    Tensor x = Tensor.randn(1, 2, 8);
    Tensor[] each = new Tensor[4];
    for (int g = 0; g < 4; g++) {
      first.useInTraining(g);
      each[g] = first.forward(x).detach();
    }
    int[] counts = new int[4];
    for (long step = 0; step < 400; step++) {
      first.before(step, 400);
      second.before(step, 400);
      Tensor drawn = first.forward(x).detach();
      assertTrue(drawn.sameAs(second.forward(x).detach()));
      for (int g = 0; g < 4; g++) {
        counts[g] += drawn.sameAs(each[g]) ? 1 : 0;
      }
    }
    assertEquals(400, Arrays.stream(counts).sum());
    // Four standard deviations around 100.
    assertTrue(Arrays.stream(counts).allMatch(c -> c > 65 && c < 135), Arrays.toString(counts));
  }

  @Test
  void inferenceTakesAllOfItUnlessToldOtherwise() {
    NestedMlp mixer = nested(4);
    Mlp plain = (Mlp) new Mlp.Config().build(Sites.causal(4));
    plain.parameters().forEach((n, p) -> p.copyFrom(mixer.parameters().get(n).value().detach()));
    mixer.before(3, 10);
    mixer.useInTraining(0);
    mixer.train(false);
    Tensor x = Tensor.randn(2, 3, 4);
    assertTrue(plain.forward(x).detach().sameAs(mixer.forward(x).detach()));
  }

  @Test
  void refusesWhatCannotBeNested() {
    for (List<Double> shares :
        List.of(List.<Double>of(), List.of(0.5), List.of(0.5, 0.5, 1.0), List.of(0.0, 1.0))) {
      assertThrows(
          IllegalArgumentException.class,
          () -> new NestedMlp.Config(Activation.GELU, 4, 0, shares, NestedMlp.TrainingMode.ONE),
          shares.toString());
    }
    assertThrows(IllegalArgumentException.class, () -> nested(4).use(4));
    BlockContext quantized =
        new BlockContext(
            4, 0, 1, 8, true, true, 0, new BlockContext.Init(), new Int8Linear.Config());
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new NestedMlp.Config().build(quantized));
    assertTrue(e.getMessage().contains("'llm-int8'"), e.getMessage());
    assertEquals(
        NestedMlp.TrainingMode.ALL,
        ((NestedMlp.Config)
                Configs.parse(
                    "{\"type\":\"nested-mlp\",\"practice\":\"all\"}", ChannelMixer.Config.class))
            .trainingMode());
  }
}
