package dev.jformer.nn.quantized;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Projection;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class Int8LinearTest {
  private static final int IN = 20;
  private static final int OUT = 7;

  private static Int8Linear layer(double threshold, Tensor weight, Tensor bias) {
    Int8Linear layer =
        new Int8Linear.Config(threshold)
            .build(weight.size(1), weight.size(0), bias != null, Initializer.normal(1));
    layer.quantize(weight);
    if (bias != null) {
      layer.bias().copyFrom(bias);
    }
    layer.train(false);
    return layer;
  }

  /** The paper's section 3 in plain loops and float64; weights are [out, in] here. */
  private static double[] definition(Tensor x, Tensor weight, Tensor bias, double threshold) {
    int rows = (int) x.size(0);
    int in = (int) x.size(1);
    int out = (int) weight.size(0);
    double[] a = x.toDoubles();
    double[] w = weight.toDoubles();
    boolean[] outlier = new boolean[in];
    for (int i = 0; i < rows * in; i++) {
      outlier[i % in] |= threshold > 0 && Math.abs(a[i]) >= threshold;
    }
    double[] result = new double[rows * out];
    for (int n = 0; n < out; n++) {
      double widest = 0;
      for (int k = 0; k < in; k++) {
        widest = Math.max(widest, Math.abs(w[n * in + k]));
      }
      double step = (float) (widest / 127);
      for (int m = 0; m < rows; m++) {
        double largest = 0;
        for (int k = 0; k < in; k++) {
          largest = outlier[k] ? largest : Math.max(largest, Math.abs(a[m * in + k]));
        }
        long sum = 0;
        double separate = 0;
        for (int k = 0; k < in; k++) {
          long whole = (long) Math.rint(w[n * in + k] / (widest / 127));
          if (outlier[k]) {
            separate += a[m * in + k] * whole * step;
          } else if (largest > 0) {
            sum += (long) Math.rint(a[m * in + k] / (largest / 127)) * whole;
          }
        }
        result[m * out + n] = sum * (largest / 127) * step + separate + bias.toDoubles()[n];
      }
    }
    return result;
  }

  @ParameterizedTest
  @CsvSource({"6,0", "6,1", "6,3", "0,3", "2,0", "0.5,0"})
  void isThePapersDefinition(double threshold, int outliers) {
    for (int rows : new int[] {1, 9}) {
      Tensor weight = Tensor.randn(OUT, IN);
      Tensor bias = Tensor.randn(OUT);
      Tensor x = Tensor.randn(rows, IN);
      for (int i = 0; i < outliers; i++) {
        x.select(1, 3 + 5 * i).mul_(40).add_(8.0);
      }
      Int8Linear layer = layer(threshold, weight, bias);
      double[] expected = definition(x, weight, bias, threshold);
      assertClose(expected, layer.forward(x.to(DType.FLOAT64)), 1e-9, "simulated");
      assertClose(expected, layer.forward(x), 1e-4, "real");
    }
  }

  @Test
  void keepsShapesAndTakesRowsOfAllSequences() {
    Int8Linear layer = layer(6, Tensor.randn(OUT, IN), Tensor.randn(OUT));
    Tensor x = Tensor.randn(2, 3, IN);
    Tensor flat = layer.forward(x.reshape(6, IN));
    assertSame(flat.reshape(2, 3, OUT), layer.forward(x), "of [B, T, D]");
    assertEquals(List.of(2L, 3L, (long) OUT), boxed(layer.forward(x)));
    assertEquals(DType.FLOAT32, layer.forward(x.to(DType.BFLOAT16)).dtype());
    Tensor turned = Tensor.randn(IN, 4).t();
    assertSame(layer.forward(turned.contiguous()), layer.forward(turned), "not contiguous");
  }

  private static List<Long> boxed(Tensor x) {
    return java.util.Arrays.stream(x.shape().toArray()).boxed().toList();
  }

  @Test
  void findsFeaturesThatAnyRowReachesTheThresholdIn() {
    Int8Linear layer = layer(6, Tensor.randn(OUT, IN), null);
    Tensor x = Tensor.zeros(3, IN);
    assertNull(layer.outliers(x));
    x.select(1, 4).narrow(0, 2, 1).fill_(-6);
    x.select(1, 11).narrow(0, 0, 1).fill_(5.999);
    x.select(1, 19).narrow(0, 1, 1).fill_(100);
    assertArrayEquals(new long[] {4, 19}, layer.outliers(x).toLongs());
    assertNull(layer(0, Tensor.randn(OUT, IN), null).outliers(x));
  }

  /** What the decomposition is for: others keep their steps however large an outlier is. */
  @Test
  void outliersCostTheOthersNothing() {
    Tensor weight = Tensor.randn(64, 128);
    Tensor x = Tensor.randn(32, 128).clamp(-5, 5);
    double without = error(layer(0, weight, null), x);
    x.select(1, 5).fill_(200);
    weight.select(1, 5).mul_(0.05); // so that the outlier itself does not rule the result
    double plain = error(layer(0, weight, null), x);
    double decomposed = error(layer(6, weight, null), x);
    assertTrue(decomposed < 1.3 * without, decomposed + " against " + without);
    assertTrue(plain > 10 * decomposed, plain + " against " + decomposed);
  }

  /** Of the activations alone: in the same weights. */
  private static double error(Int8Linear layer, Tensor x) {
    Tensor exact = Functional.linear(x, layer.dequantized(), null);
    return layer.forward(x).sub(exact).norm().item() / exact.norm().item();
  }

  @Test
  void theWeightIsWithinHalfAStep() {
    Tensor weight = Tensor.randn(OUT, IN);
    weight.select(0, 2).fill_(0);
    Int8Linear layer = layer(6, weight, null);
    Tensor step = weight.abs().max(1, true).mul(1.0 / 127);
    assertTrue(layer.dequantized().sub(weight).abs().le(step.mul(0.5001)).all());
    assertEquals(DType.INT8, layer.parameters().get("weight").value().dtype());
    assertSame(Tensor.zeros(4), layer.forward(Tensor.randn(4, IN)).select(1, 2), "a row of zeros");
  }

  @Test
  void tablesGiveRowsAndShareThemWithTheOutput() {
    for (Projection kind :
        List.of(
            new Int8Linear.Config(),
            new WeightInt8Linear.Config(),
            new BlockLinear.Config(),
            new WeightInt4Linear.Config(32))) {
      TokenEmbedding table = kind.table(11, 64, Initializer.normal(1));
      Layer output = table.output();
      table.train(false);
      output.train(false);
      ((QuantizedWeight) table).quantize(Tensor.randn(11, 64));
      Tensor rows = ((QuantizedWeight) table).dequantized();
      Tensor ids = Tensor.of(new long[] {3, 0, 10, 3, 7, 1}, 2, 3);
      assertSame(
          rows.indexSelect(0, ids.reshape(-1)).reshape(2, 3, 64), table.forward(ids), kind.type());
      assertSame(
          rows.narrow(0, 4, 1).squeeze(0),
          table.forward(Tensor.of(new long[] {4})).squeeze(0),
          "one");
      Tensor x = Tensor.randn(5, 64).to(DType.FLOAT64);
      Tensor expected = Functional.linear(x, rows.to(DType.FLOAT64), null);
      double tolerance = kind instanceof Int8Linear.Config ? 0.5 : 1e-5;
      assertClose(expected, output.forward(x), tolerance);
      table
          .parameters()
          .forEach((name, p) -> assertTrue(p == output.parameters().get(name), kind.type()));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 200})
  void weightOnlyLayersMultiplyWithTheirWeights(int rows) {
    for (Projection kind :
        List.of(
            new WeightInt8Linear.Config(),
            new BlockLinear.Config(),
            new WeightInt4Linear.Config(32),
            new WeightInt4Linear.Config(128))) {
      Layer layer = kind.build(256, 40, true, Initializer.normal(1));
      ((QuantizedWeight) layer).quantize(Tensor.randn(40, 256));
      Tensor bias = Tensor.randn(40);
      layer.parameters().get("bias").copyFrom(bias);
      layer.train(false);
      Tensor x = Tensor.randn(rows, 256);
      Tensor kept = ((QuantizedWeight) layer).dequantized();
      Tensor expected =
          Functional.linear(x.to(DType.FLOAT64), kept.to(DType.FLOAT64), bias.to(DType.FLOAT64));
      assertClose(expected, layer.forward(x.to(DType.FLOAT64)), 1e-5);
      double size = expected.abs().max().item();
      boolean rounds = kind instanceof WeightInt4Linear.Config && rows < WeightInt4Linear.MANY;
      assertClose(
          expected.mul(1 / size),
          layer.forward(x).to(DType.FLOAT64).mul(1 / size),
          rounds ? 5e-3 : 2e-4);
    }
  }

  /** Nearest codes in a group's range, in plain loops; two of them a byte. */
  @Test
  void fourBitsReachFromTheSmallestToTheLargestOfAGroup() {
    int group = 32;
    Tensor weight = Tensor.randn(3, 64);
    weight.select(0, 1).fill_(0.25); // a group without extent
    WeightInt4Linear layer =
        new WeightInt4Linear.Config(group).build(64, 3, false, Initializer.normal(1));
    layer.quantize(weight);
    assertEquals(List.of(3L, 32L), boxed(layer.parameters().get("weight").value()));
    double[] exact = weight.toDoubles();
    double[] kept = layer.dequantized().toDoubles();
    for (int start = 0; start < exact.length; start += group) {
      double low = Double.POSITIVE_INFINITY;
      double high = Double.NEGATIVE_INFINITY;
      for (int i = start; i < start + group; i++) {
        low = Math.min(low, exact[i]);
        high = Math.max(high, exact[i]);
      }
      double step = (high - low) / 15;
      // bf16 has 8 binary digits, of the step times up to 8, and of the middle.
      double slack = Math.max(Math.abs(low), Math.abs(high)) * 3 / 256;
      for (int i = start; i < start + group; i++) {
        assertEquals(exact[i], kept[i], step / 2 + slack, "at " + i);
      }
    }
  }

  @Test
  void rowsThatAreNoWholeGroupsAreFilledUp() {
    WeightInt4Linear layer =
        new WeightInt4Linear.Config(64).build(88, 20, false, Initializer.normal(1));
    Tensor weight = Tensor.randn(20, 88);
    layer.quantize(weight);
    layer.train(false);
    assertEquals(weight.shape(), layer.dequantized().shape());
    assertTrue(layer.dequantized().sub(weight).norm().item() < 0.15 * weight.norm().item());
    Tensor x = Tensor.randn(3, 88);
    Tensor expected = Functional.linear(x, layer.dequantized(), null);
    double size = expected.abs().max().item();
    assertClose(expected.mul(1 / size), layer.forward(x).mul(1 / size), 5e-3);
  }

  @Test
  void refusesWhatItCannotDo() {
    Int8Linear layer = layer(6, Tensor.randn(OUT, IN), null);
    var broken =
        assertThrows(
            IllegalArgumentException.class,
            () -> layer.quantize(Tensor.full(Double.NaN, DType.FLOAT32, OUT, IN)));
    assertTrue(broken.getMessage().contains("not finite"), broken.getMessage());
    layer.train(true);
    var training =
        assertThrows(UnsupportedOperationException.class, () -> layer.forward(Tensor.randn(1, IN)));
    assertTrue(training.getMessage().contains("cannot be trained"), training.getMessage());
    for (String json :
        List.of(
            "{\"type\":\"llm-int8\",\"threshold\":-1}",
            "{\"type\":\"weight-int4\",\"group\":48}")) {
      assertThrows(ConfigException.class, () -> Configs.parse(json, Projection.class), json);
    }
  }
}
