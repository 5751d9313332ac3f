package dev.jformer.nn;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.tensor.TensorException;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(Scoped.class)
class LayersTest {
  @Test
  void linearMatchesItsDefinition() {
    for (boolean bias : new boolean[] {true, false}) {
      Linear layer = new Linear(5, 3, bias, Initializer.normal(1));
      ModuleChecks.matches(
          layer, (x, w) -> Loops.linear(x, w.matrix("weight"), w.vector("bias")), 4, 5);
      assertEquals(bias, layer.bias() != null);
    }
  }

  @Test
  void biasesStartAtZero() {
    assertFalse(new Linear(2, 3, true, Initializer.normal(1)).bias().value().any());
  }

  @Test
  void normalisationsMatchTheirDefinitions() {
    ModuleChecks.matches(
        new Norm.LayerNormConfig(0.01, true).build(6),
        (x, w) -> Loops.layerNorm(x, w.vector("weight"), w.vector("bias"), 0.01),
        3,
        6);
    ModuleChecks.matches(
        new Norm.LayerNormConfig(1e-5, false).build(5),
        (x, w) -> Loops.layerNorm(x, w.vector("weight"), null, 1e-5),
        3,
        5);
    ModuleChecks.matches(
        new Norm.RmsNormConfig(0.01).build(6),
        (x, w) -> Loops.rmsNorm(x, w.vector("weight"), 0.01),
        3,
        6);
    ModuleChecks.matches(new Norm.NoNormConfig().build(4), (x, w) -> x, 2, 4);
  }

  @Test
  void normalisationsStartAsPlainOnes() {
    Tensor x = Tensor.randn(4, 64).mul(5).add(3);
    Tensor y = new Norm.LayerNormConfig().build(64).forward(x);
    assertClose(new double[4], y.mean(-1, false), 1e-5);
    assertClose(new double[] {1, 1, 1, 1}, y.variance(-1, false), 1e-4);
    Tensor z = new Norm.RmsNormConfig().build(64).forward(x);
    assertClose(new double[] {1, 1, 1, 1}, z.square().mean(-1, false), 1e-4);
  }

  @Test
  void embeddingsAreRowsOfTheTable() {
    Embedding layer = new Embedding(7, 3, Initializer.normal(1));
    double[] table = layer.weight().value().toDoubles();
    Tensor y = layer.forward(Tensor.of(new long[] {6, 0, 2, 2}, 2, 2));
    assertEquals("[2x2x3]", y.shape().toString());
    double[] expected = new double[12];
    int[] rows = {6, 0, 2, 2};
    for (int i = 0; i < 12; i++) {
      expected[i] = table[rows[i / 3] * 3 + i % 3];
    }
    assertArrayEquals(expected, y.toDoubles());
    y.sum().backward();
    assertArrayEquals(
        new double[] {1, 0, 2, 0, 0, 0, 1}, layer.weight().value().grad().select(1, 0).toDoubles());
    assertThrows(TensorException.class, () -> layer.forward(Tensor.of(new long[] {7}, 1)));
    assertThrows(TensorException.class, () -> layer.forward(Tensor.of(new long[] {-1}, 1)));
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void activationsMatchTheirDefinitions(Activation activation) {
    double[] x = new double[81];
    double[] expected = new double[81];
    for (int i = 0; i < x.length; i++) {
      x[i] = (i - 40) / 5.0;
      expected[i] =
          switch (activation) {
            case GELU -> Loops.gelu(x[i]);
            case GELU_TANH -> Loops.geluTanh(x[i]);
            case RELU -> Math.max(0, x[i]);
            case SQUARED_RELU -> Math.max(0, x[i]) * Math.max(0, x[i]);
            case SILU -> Loops.silu(x[i]);
            case SIGMOID -> Loops.sigmoid(x[i]);
            case TANH -> Math.tanh(x[i]);
            case IDENTITY -> x[i];
          };
    }
    assertClose(expected, activation.apply(Tensor.of(x)), 1e-12);
  }

  @Test
  void initialisersDrawWhatTheySay() {
    // 120,000 draws: a mean's error is about σ/350, a deviation's about 0.3 %.
    long rows = 400;
    long columns = 300;
    check(Initializer.normal(0.5).create(rows, columns), 0.5, Double.POSITIVE_INFINITY);
    double fanIn = 1 / Math.sqrt(300.0);
    check(Initializer.uniformFanIn().create(rows, columns), fanIn / Math.sqrt(3), fanIn);
    check(Initializer.uniformFanIn().create(rows, 100, 3), fanIn / Math.sqrt(3), fanIn);
    double glorot = Math.sqrt(6.0 / 700);
    check(Initializer.xavierUniform().create(rows, columns), Math.sqrt(2.0 / 700), glorot);
    assertFalse(Initializer.zeros().create(3, 3).any());
    assertClose(new double[] {2, 2}, Initializer.constant(2).create(2), 0);
    assertEquals(DType.FLOAT32, Initializer.constant(2).create(2).dtype());
  }

  private static void check(Tensor drawn, double deviation, double bound) {
    assertEquals(DType.FLOAT32, drawn.dtype());
    assertEquals(0, drawn.mean().item(), 5 * deviation / Math.sqrt((double) drawn.elements()));
    assertEquals(deviation, drawn.square().mean().sqrt().item(), 0.02 * deviation);
    double largest = drawn.abs().max().item();
    assertTrue(largest <= bound, largest + " lies outside of " + bound);
    if (bound < Double.POSITIVE_INFINITY) {
      assertTrue(largest > 0.99 * bound, "draws reach " + largest + " of " + bound);
    }
  }

  @Test
  void dropoutDropsItsShareAndKeepsTheMean() {
    Dropout dropout = new Dropout(0.3);
    Tensor x = Tensor.ones(100_000);
    Tensor y = dropout.forward(x);
    assertEquals(0.3, y.eq(0).to(DType.FLOAT32).mean().item(), 0.01);
    // The probability is rounded to a multiple of 2^-16: 19661 of 65536.
    assertEquals(65536.0 / (65536 - 19661), y.max().item(), 1e-6);
    assertFalse(y.sameAs(dropout.forward(x)), "draws differ");
    dropout.train(false);
    assertTrue(x.sameAs(dropout.forward(x)));
    Dropout none = new Dropout(0);
    assertTrue(x.sameAs(none.forward(x)));
  }

  @Test
  void dropoutProbabilitiesAreChecked() {
    for (double p : new double[] {-0.1, 1, Double.NaN}) {
      var error = assertThrows(IllegalArgumentException.class, () -> new Dropout(p));
      assertTrue(error.getMessage().contains(Double.toString(p)), error.getMessage());
    }
  }

  @Test
  void sitesScaleResidualLayersByDepth() {
    BlockContext context =
        new BlockContext(
            200, 0, 18, 16, true, true, 0, new BlockContext.Init(0.06, true), new Linear.Config());
    assertEquals(0.06, deviation(context.linear(200, 300)), 0.001);
    assertEquals(0.01, deviation(context.residual(200, 300)), 0.0002);
    BlockContext plain =
        new BlockContext(
            200,
            0,
            18,
            16,
            true,
            false,
            0,
            new BlockContext.Init(0.06, false),
            new Linear.Config());
    assertEquals(0.06, deviation(plain.residual(200, 300)), 0.001);
    assertNull(((Linear) plain.linear(2, 2)).bias());
    assertThrows(IllegalArgumentException.class, () -> new BlockContext.Init(0, true));
    assertThrows(IllegalArgumentException.class, () -> new BlockContext.Init(Double.NaN, true));
  }

  private static double deviation(Layer layer) {
    return ((Linear) layer).weight().value().square().mean().sqrt().item();
  }
}
