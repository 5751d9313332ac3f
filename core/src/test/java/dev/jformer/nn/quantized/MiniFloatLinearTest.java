package dev.jformer.nn.quantized;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Projection;
import dev.jformer.nn.quantized.MiniFloatLinear.Kind;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class MiniFloatLinearTest {
  private static MiniFloatLinear layer(
      MiniFloatLinear.Config config,
      Linear linear,
      MiniFloatQuantizer weights,
      MiniFloatQuantizer activations,
      Tensor shifts) {
    Tensor weight = linear.weight().value();
    MiniFloatLinear layer =
        config.build(weight.size(1), weight.size(0), linear.bias() != null, Initializer.zeros());
    layer.quantize(linear, weights, activations, shifts);
    layer.train(false);
    return layer;
  }

  private static MiniFloatQuantizer rows(MiniFloat format, Tensor weight) {
    Tensor largest = weight.detach().abs().max(1, true);
    return new MiniFloatQuantizer(format, largest.mul(1 / format.largest()));
  }

  private static MiniFloatQuantizer layerWide(MiniFloat format, double step) {
    return new MiniFloatQuantizer(format, Tensor.of(new float[] {(float) step}, 1));
  }

  /** Widths that are odd, formats of each kind, inputs of one token, which take another kernel. */
  @ParameterizedTest
  @CsvSource({
    "4, 2, 4, 2, 13, 9",
    "4, 1, 4, 3, 1, 12",
    "4, 3, 8, 4, 24, 7",
    "8, 4, 8, 5, 5, 8",
    "8, 2, 6, 3, 13, 17"
  })
  void theFoldedFormIsTheExplicitOneToTheBit(
      int weightBits, int weightExponent, int bits, int exponent, int in, int out) {
    Linear linear = new Linear(in, out, in % 2 == 1, Initializer.normal(0.3));
    MiniFloat format = new MiniFloat(bits, exponent);
    Tensor shifts = Tensor.randint(0, format.widestShift() + 1, in);
    Tensor sizes = MiniFloat.powersOfTwo(shifts.neg()).mul(5);
    MiniFloatQuantizer weights =
        rows(new MiniFloat(weightBits, weightExponent), linear.weight().value());
    MiniFloatQuantizer activations = layerWide(format, format.step(9.3));
    MiniFloatLinear layer =
        layer(
            new MiniFloatLinear.Config(weightBits, bits, Kind.PRE_SHIFTED),
            linear,
            weights,
            activations,
            shifts);
    Tensor weight = weights.round(linear.weight().value().detach());
    assertSame(weight, layer.weight(), "unpacked");
    for (int tokens : new int[] {1, 6, 40}) {
      Tensor x = Tensor.randn(2, tokens, in).mul(sizes);
      Tensor rounded = activations.shifted(shifts).round(x);
      assertSame(rounded, layer.activations().round(x), "activations");
      Tensor bias = linear.bias() == null ? null : linear.bias().value().detach();
      Tensor explicit = Functional.linear(rounded, weight, bias);
      assertSame(explicit, layer.forward(x).detach(), tokens + " tokens");
      assertSame(explicit, layer.explicit().forward(x).detach(), "explicit layer");
      // Nothing there but zeros would agree as well.
      assertTrue(rounded.sub(x).abs().max().item() > 0 && rounded.abs().max().item() > 0);
    }
  }

  /** In plain float64 loops: x_j in steps of s 2^-k_j, times w in steps of its row. */
  @Test
  void computesWhatThePaperSays() {
    int in = 11;
    int out = 6;
    Linear linear = new Linear(in, out, true, Initializer.normal(0.3));
    linear.bias().copyFrom(Tensor.randn(out));
    MiniFloat format = new MiniFloat(4, 2);
    long[] k = {0, 1, 2, 3, 0, 1, 2, 3, 0, 0, 3};
    double step = 0.17f;
    MiniFloatQuantizer weights = rows(format, linear.weight().value());
    MiniFloatLinear layer =
        layer(
            new MiniFloatLinear.Config(),
            linear,
            weights,
            layerWide(format, step),
            Tensor.of(k, in));
    Tensor x = Tensor.randn(7, in);
    double[] w = linear.weight().value().toDoubles();
    double[] bias = linear.bias().value().toDoubles();
    double[] rowSteps = weights.step().toDoubles();
    double[] values = x.toDoubles();
    double[] expected = new double[7 * out];
    for (int t = 0; t < 7; t++) {
      for (int o = 0; o < out; o++) {
        expected[t * out + o] = bias[o];
        for (int j = 0; j < in; j++) {
          double s = step / (1 << k[j]);
          expected[t * out + o] +=
              nearest(values[t * in + j] / s)
                  * s
                  * nearest(w[o * in + j] / rowSteps[o])
                  * rowSteps[o];
        }
      }
    }
    assertClose(expected, layer.forward(x).detach(), 1e-5);
  }

  private static double nearest(double x) {
    double best = 0;
    for (double number : new double[] {0, 1, 2, 3, 4, 6, 8, 12}) {
      if (Math.abs(Math.abs(x) - number) < Math.abs(Math.abs(x) - best)) {
        best = number;
      }
    }
    return Math.signum(x) * best;
  }

  @Test
  void fourBitsArePackedTwoInAByteTheFirstInTheLowerHalf() {
    Tensor weight = Tensor.of(new float[] {12, -1, 3, 0.5f, -6, 0, 6, -12, 1, 4}, 2, 5);
    Tensor steps = Tensor.of(new float[] {1, 1}, 2, 1);
    MiniFloat format = new MiniFloat(4, 2);
    MiniFloatLinear layer =
        layer(
            new MiniFloatLinear.Config(4, 8, Kind.SEARCHED),
            new Linear(weight, null),
            new MiniFloatQuantizer(format, steps),
            layerWide(new MiniFloat(8, 4), 1),
            null);
    // E2M1: 0 1 2 3 4 6 8 12 are 0 to 7, negative ones 8 more.
    byte[] expected = {(byte) 0x97, 0x03, 0x0d, 0x50, 0x1f, 0x04};
    Tensor codes = layer.parameters().get("codes").value();
    assertEquals(DType.UINT8, codes.dtype());
    assertEquals("[2x3]", codes.shape().toString());
    assertArrayEquals(expected, codes.toBytes());
    assertArrayEquals(new byte[] {2, 4}, layer.parameters().get("exponents").value().toBytes());
    assertEquals(format, layer.weightFormat());
  }

  @Test
  void computesInFloat32UnderAutocastAndGivesTheTypeItGot() {
    Linear linear = new Linear(8, 8, true, Initializer.normal(0.3));
    MiniFloat format = new MiniFloat(4, 2);
    MiniFloatLinear layer =
        layer(
            new MiniFloatLinear.Config(4, 4, Kind.MIN_MAX),
            linear,
            rows(format, linear.weight().value()),
            layerWide(format, 0.2),
            null);
    Tensor x = Tensor.randn(3, 8).to(DType.BFLOAT16);
    Tensor plain = layer.forward(x.to(DType.FLOAT32));
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, true)) {
      assertSame(plain.detach(), layer.forward(x.to(DType.FLOAT32)).detach(), "autocast");
      assertSame(plain.to(DType.BFLOAT16).detach(), layer.forward(x).detach(), "bf16");
    }
  }

  /** Floats made of the codes are kept, and yet never those of other codes. */
  @Test
  void knowsWhenItsWeightsHaveChanged() {
    MiniFloat format = new MiniFloat(4, 2);
    MiniFloatLinear.Config config = new MiniFloatLinear.Config();
    Tensor x = Tensor.randn(3, 8);
    MiniFloatLinear[] layers = new MiniFloatLinear[2];
    for (int i = 0; i < 2; i++) {
      Linear linear = new Linear(8, 8, true, Initializer.normal(0.3));
      MiniFloatQuantizer weights = rows(format, linear.weight().value());
      Tensor shifts = Tensor.full(i, DType.INT64, 8);
      layers[i] = layer(config, linear, weights, layerWide(format, 0.2 + i), shifts);
    }
    Tensor other;
    try (Mode mode = Autograd.inference()) { // as text is generated: floats made here serve later
      other = layers[1].forward(x);
      assertSame(other, layers[1].forward(x), "again");
      assertTrue(other.sub(layers[0].forward(x)).abs().max().item() > 0);
    }
    Tensor input = x.copy().requiresGrad(true);
    layers[0].forward(input).sum().backward();
    layers[0]
        .parameters()
        .forEach((name, p) -> p.copyFrom(layers[1].parameters().get(name).value().detach()));
    assertSame(other, layers[0].forward(x).detach(), "copied");
    Tensor codes = layers[0].parameters().get("codes").value();
    Tensor before = codes.copy();
    codes.zero_();
    assertTrue(other.sub(layers[0].forward(x).detach()).abs().max().item() > 0, "in place");
    layers[0].parameters().get("codes").replace(before);
    assertSame(other, layers[0].forward(x).detach(), "replaced");
    layers[0].close();
  }

  @Test
  void refusesToTrainAndWhatDoesNotFit() {
    MiniFloatLinear.Config config = new MiniFloatLinear.Config(4, 4, Kind.PRE_SHIFTED);
    MiniFloatLinear fresh = config.build(4, 4, false, Initializer.zeros());
    Tensor x = Tensor.randn(1, 4);
    var training = assertThrows(IllegalStateException.class, () -> fresh.forward(x));
    assertTrue(training.getMessage().contains("cannot be trained"), training.getMessage());
    Linear linear = new Linear(4, 4, false, Initializer.normal(1));
    MiniFloat format = new MiniFloat(4, 2);
    MiniFloatQuantizer weights = rows(format, linear.weight().value());
    var error =
        assertThrows(
            IllegalArgumentException.class,
            () -> fresh.quantize(linear, weights, layerWide(format, 1), null));
    assertTrue(error.getMessage().contains("no shifts"), error.getMessage());
  }

  @Test
  void configurationsAreFoundAndChecked() {
    Projection found =
        Configs.parse(
            "{\"type\": \"llm-fp4\", \"activationBits\": 8, \"kind\": \"min-max\"}",
            Projection.class);
    assertEquals(new MiniFloatLinear.Config(4, 8, Kind.MIN_MAX), found);
    for (String wrong : new String[] {"\"weightBits\": 5", "\"activationBits\": 9"}) {
      var error =
          assertThrows(
              ConfigException.class,
              () -> Configs.parse("{\"type\": \"llm-fp4\", " + wrong + "}", Projection.class));
      assertTrue(error.getMessage().contains("expected"), error.getMessage());
    }
  }
}
