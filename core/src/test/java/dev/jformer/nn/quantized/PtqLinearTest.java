package dev.jformer.nn.quantized;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.nn.Initializer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class PtqLinearTest {
  private static final int IN = 13;
  private static final int OUT = 7;

  private static PtqLinear layer(int weightBits, int bits, boolean symmetric) {
    return new PtqLinear.Config(weightBits, bits, symmetric, new RangeRule.MinMax())
        .build(IN, OUT, true, Initializer.zeros());
  }

  /** The number of a grid nearest to x, one at a time. */
  private static double round(double x, double low, double high, int bits, boolean symmetric) {
    double half = 1 << (bits - 1);
    double bottom = Math.min(low, 0);
    double top = Math.max(high, 0);
    double scale =
        (float)
            (symmetric ? Math.max(-bottom, top) / (half - 1) : (top - bottom) / (2 * half - 1.0));
    double zero = symmetric ? 0 : Math.round(-bottom / scale) - half;
    double q = Math.max(-half, Math.min(half - 1, Math.rint((float) x / (float) scale) + zero));
    return (q - zero) * scale;
  }

  @ParameterizedTest
  @CsvSource({
    "8, 8, false",
    "8, 8, true",
    "6, 6, false",
    "6, 6, true",
    "4, 8, false",
    "2, 2, true"
  })
  void isTheProductOfRoundedNumbers(int weightBits, int bits, boolean symmetric) {
    Tensor weight = Tensor.randn(OUT, IN);
    weight.select(0, 3).zero_();
    Tensor bias = Tensor.randn(OUT);
    double low = -0.4;
    double high = 1.7;
    PtqLinear layer = layer(weightBits, bits, symmetric);
    layer.quantizeWeight(weight);
    layer.quantizeInput(UniformGrid.of(low, high, bits, symmetric), bias);
    Tensor x = Tensor.randn(2, 5, IN);
    double[] given = x.toDoubles();
    double[] w = weight.toDoubles();
    double[] b = bias.toDoubles();
    double[] expected = new double[10 * OUT];
    for (int t = 0; t < 10; t++) {
      for (int o = 0; o < OUT; o++) {
        double largest = 0;
        for (int i = 0; i < IN; i++) {
          largest = Math.max(largest, Math.abs(w[o * IN + i]));
        }
        double scale = largest / ((1 << (weightBits - 1)) - 1);
        double sum = b[o];
        for (int i = 0; i < IN; i++) {
          double rounded = scale == 0 ? 0 : Math.rint(w[o * IN + i] / scale) * scale;
          sum += rounded * round(given[t * IN + i], low, high, bits, symmetric);
        }
        expected[t * OUT + o] = sum;
      }
    }
    Tensor y = layer.forward(x);
    assertClose(expected, y, 1e-4, "product of integers");
    assertClose(expected, layer.simulated(x), 1e-4, "product of floats");
    assertClose(
        Arrays.stream(given).map(v -> round(v, low, high, bits, symmetric)).toArray(),
        layer.rounded(x),
        1e-6,
        "activations");
  }

  /** The integers reach the ends of their range, where a wrong kernel would overflow. */
  @Test
  void productsOfTheLargestIntegersAreExact() {
    int in = 4096;
    PtqLinear layer = new PtqLinear.Config().build(in, 3, true, Initializer.zeros());
    layer.quantizeWeight(Tensor.ones(3, in));
    layer.quantizeInput(UniformGrid.of(-1, 1, 8, false), null);
    Tensor x = Tensor.ones(1, in);
    x.narrow(1, 0, 1000).fill_(-1);
    double one = layer.rounded(Tensor.ones(1)).item();
    double minusOne = layer.rounded(Tensor.ones(1).neg()).item();
    double expected = 3096 * one + 1000 * minusOne;
    assertClose(new double[] {expected, expected, expected}, layer.forward(x), 0.01);
  }

  @Test
  void agreesWithTheSimulationOnLongSums() {
    PtqLinear layer =
        new PtqLinear.Config(8, 8, false, new RangeRule.MinMax())
            .build(300, 64, true, Initializer.zeros());
    layer.quantizeWeight(Tensor.randn(64, 300));
    layer.quantizeInput(UniformGrid.of(-1, 5, 8, false), Tensor.randn(64));
    Tensor x = Tensor.randn(33, 300).add(1);
    assertClose(layer.simulated(x).toDoubles(), layer.forward(x), 1e-3);
    for (long rows : new long[] {1, 2, 17}) {
      Tensor part = x.narrow(0, 0, rows);
      assertClose(layer.simulated(part).toDoubles(), layer.forward(part), 1e-3);
    }
  }

  @Test
  void holdsAWeightInABytePerNumber() {
    PtqLinear layer = layer(6, 6, false);
    assertEquals(DType.INT8, layer.parameters().get("integers").value().dtype());
    layer.quantizeWeight(Tensor.randn(OUT, IN));
    Tensor integers = layer.parameters().get("integers").value().to(DType.FLOAT32);
    assertEquals(31, integers.abs().max().item(), "6 bits reach from -32 to 31");
    assertEquals(0, layer.parameterCount(), "nothing is left to train");
  }

  @Test
  void keepsTheTypeOfWhatItIsGiven() {
    PtqLinear layer = layer(8, 8, false);
    layer.quantizeWeight(Tensor.randn(OUT, IN));
    layer.quantizeInput(UniformGrid.of(-3, 3, 8, false), null);
    Tensor x = Tensor.randn(2, IN);
    for (DType type : new DType[] {DType.FLOAT64, DType.BFLOAT16}) {
      assertEquals(type, layer.forward(x.to(type)).dtype());
    }
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, true)) {
      assertClose(layer.simulated(x).to(DType.FLOAT32), layer.forward(x), 0.2);
    }
  }

  @Test
  void refusesBitsThatDoNotFit() {
    var error =
        assertThrows(
            IllegalArgumentException.class,
            () -> new PtqLinear.Config(9, 8, true, new RangeRule.MinMax()));
    assertTrue(error.getMessage().contains("weightBits is 9"), error.getMessage());
    assertThrows(
        IllegalArgumentException.class,
        () -> new PtqLinear.Config(8, 1, true, new RangeRule.MinMax()));
    assertThrows(IllegalArgumentException.class, () -> new PtqLinear.Config(8, 8, true, null));
    var other =
        assertThrows(
            IllegalArgumentException.class,
            () -> layer(8, 8, true).quantizeInput(UniformGrid.of(0, 1, 6, true), null));
    assertTrue(other.getMessage().contains("6 bits"), other.getMessage());
  }
}
