package dev.jformer.nn.quantized;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.nn.Initializer;
import dev.jformer.nn.Linear;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class NoisyLinearTest {
  private static final int IN = 9;
  private static final int OUT = 5;

  private static NoisyLinear layer(boolean symmetric, Tensor weight, Tensor bias) {
    PtqLinear.Config plain = new PtqLinear.Config(6, 6, symmetric, new RangeRule.MinMax());
    NoisyLinear layer =
        new NoisyLinear.Config(plain).build(IN, OUT, bias != null, Initializer.zeros());
    PtqLinear inner = (PtqLinear) layer.quantized();
    inner.quantizeWeight(weight);
    inner.quantizeInput(UniformGrid.of(-0.5, 3, 6, symmetric), bias);
    return layer;
  }

  /** {@code Q(x + N) Ŵᵀ - N Ŵᵀ + b}, each term for itself, in plain loops. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void foldedIsTheExplicitForm(boolean symmetric) {
    Tensor weight = Tensor.randn(OUT, IN);
    for (Tensor bias : new Tensor[] {Tensor.randn(OUT), null}) {
      NoisyLinear layer = layer(symmetric, weight, bias);
      Tensor noise = Tensor.empty(dev.jformer.tensor.DType.FLOAT32, IN).uniform_(-0.1, 0.1);
      layer.setNoise(Tensor.randn(IN)); // the second one takes its place
      layer.setNoise(noise);
      Tensor x = Tensor.randn(4, IN);
      double[] rounded = layer.quantized().rounded(x.add(noise)).toDoubles();
      double[] w = layer.quantized().weight().toDoubles();
      double[] n = noise.toDoubles();
      double[] expected = new double[4 * OUT];
      for (int t = 0; t < 4; t++) {
        for (int o = 0; o < OUT; o++) {
          double sum = bias == null ? 0 : bias.toDoubles()[o];
          for (int i = 0; i < IN; i++) {
            sum += rounded[t * IN + i] * w[o * IN + i] - n[i] * w[o * IN + i];
          }
          expected[t * OUT + o] = sum;
        }
      }
      assertClose(expected, layer.forward(x), 2e-5);
    }
  }

  @Test
  void withoutNoiseIsTheQuantizedLayer() {
    NoisyLinear layer = layer(false, Tensor.randn(OUT, IN), Tensor.randn(OUT));
    Tensor x = Tensor.randn(3, IN);
    Tensor before = layer.quantized().forward(x);
    assertTrue(before.sameAs(layer.forward(x)));
    layer.setNoise(Tensor.randn(IN));
    assertFalse(before.sameAs(layer.forward(x)));
  }

  @Test
  void refusesWhatDoesNotQuantize() {
    var error =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                new NoisyLinear.Config(new Linear.Config())
                    .build(IN, OUT, true, Initializer.zeros()));
    assertTrue(error.getMessage().contains("'linear'"), error.getMessage());
    assertThrows(
        IllegalArgumentException.class, () -> new NoisyLinear.Config(new NoisyLinear.Config()));
    assertThrows(IllegalArgumentException.class, () -> new NoisyLinear.Config(null));
    assertEquals("noisyquant", new NoisyLinear.Config().type());
  }
}
