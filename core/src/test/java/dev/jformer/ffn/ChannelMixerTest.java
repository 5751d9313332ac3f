package dev.jformer.ffn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(Scoped.class)
class ChannelMixerTest {
  private static final Map<Activation, DoubleUnaryOperator> FUNCTIONS =
      Map.of(
          Activation.GELU, Loops::gelu,
          Activation.GELU_TANH, Loops::geluTanh,
          Activation.RELU, x -> Math.max(0, x),
          Activation.SQUARED_RELU, x -> Math.max(0, x) * Math.max(0, x),
          Activation.SILU, Loops::silu,
          Activation.SIGMOID, Loops::sigmoid,
          Activation.TANH, Math::tanh,
          Activation.IDENTITY, x -> x);

  @ParameterizedTest
  @EnumSource(Activation.class)
  void mlpMatchesItsDefinition(Activation activation) {
    Naive naive =
        (x, w) ->
            Loops.linear(Loops.map(Loops.linear(x, w, "up"), FUNCTIONS.get(activation)), w, "down");
    ModuleChecks.matches(new Mlp.Config(activation, 2.5, 0).build(Sites.causal(4)), naive, 3, 4);
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void gatedMlpMatchesItsDefinition(Activation activation) {
    Naive naive =
        (x, w) -> {
          double[][] both = Loops.linear(x, w, "gateUp");
          int hidden = both[0].length / 2;
          double[][] product = Loops.map(Loops.columns(both, 0, hidden), FUNCTIONS.get(activation));
          double[][] up = Loops.columns(both, hidden, 2 * hidden);
          for (int t = 0; t < product.length; t++) {
            for (int i = 0; i < hidden; i++) {
              product[t][i] *= up[t][i];
            }
          }
          return Loops.linear(product, w, "down");
        };
    ModuleChecks.matches(new GatedMlp.Config(activation, 1, 5).build(Sites.causal(4)), naive, 3, 4);
  }

  @Test
  void hiddenWidthsFollowTheConfiguration() {
    assertEquals(40, hidden(new Mlp.Config().build(Sites.causal(10)), "up.weight"));
    assertEquals(
        7, hidden(new Mlp.Config(Activation.GELU, 4, 7).build(Sites.causal(10)), "up.weight"));
    assertEquals(
        1, hidden(new Mlp.Config(Activation.GELU, 0.01, 0).build(Sites.causal(10)), "up.weight"));
    // 8/3 · 12 = 32 exactly; 8/3 · 13 = 34.7 goes up to 40.
    assertEquals(64, hidden(new GatedMlp.Config().build(Sites.causal(12)), "gateUp.weight"));
    assertEquals(80, hidden(new GatedMlp.Config().build(Sites.causal(13)), "gateUp.weight"));
  }

  private static long hidden(ChannelMixer mixer, String weight) {
    return mixer.parameters().get(weight).value().size(0);
  }

  @Test
  void residualLayersStartSmallerAndBiasesAreOptional() {
    BlockContext context =
        new BlockContext(
            64, 0, 8, 16, true, false, 0, new BlockContext.Init(), new Linear.Config());
    ChannelMixer mixer = new Mlp.Config().build(context);
    assertFalse(Weights.of(mixer).has("up.bias"));
    double up = deviation(mixer, "up.weight");
    double down = deviation(mixer, "down.weight");
    assertEquals(0.02, up, 0.001);
    assertEquals(0.02 / Math.sqrt(16), down, 0.0003);
  }

  private static double deviation(ChannelMixer mixer, String name) {
    return mixer.parameters().get(name).value().square().mean().sqrt().item();
  }

  @Test
  void treatsEachTokenByItself() {
    ChannelMixer mixer = new GatedMlp.Config().build(Sites.causal(8));
    Tensor x = Tensor.randn(1, 5, 8);
    Tensor order = Tensor.of(new long[] {3, 0, 4, 1, 2});
    assertTrue(
        mixer
                .forward(x)
                .indexSelect(1, order)
                .sub(mixer.forward(x.indexSelect(1, order)))
                .abs()
                .max()
                .item()
            < 1e-7);
  }

  @Test
  void refusesImpossibleWidths() {
    assertThrows(IllegalArgumentException.class, () -> new Mlp.Config(Activation.GELU, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new Mlp.Config(Activation.GELU, 4, -1));
    assertThrows(
        IllegalArgumentException.class, () -> new GatedMlp.Config(Activation.GELU, Double.NaN, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> new GatedMlp.Config(Activation.SILU, 1e300, 0).build(Sites.causal(8)));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Mlp.Config(Activation.SILU, Double.POSITIVE_INFINITY, 0).build(Sites.causal(8)));
  }
}
