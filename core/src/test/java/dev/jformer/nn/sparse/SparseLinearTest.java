package dev.jformer.nn.sparse;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Projection;
import dev.jformer.nn.sparse.SparseLinear.Execution;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class SparseLinearTest {
  static Stream<SparseLinear.Config> forms() {
    return Stream.of(
        new SparseLinear.Config(0.3),
        new SparseLinear.Config(1),
        new SparseLinear.Config(1, 2),
        new SparseLinear.Config(2, 4),
        new SparseLinear.Config(4, 8),
        new SparseLinear.Config(1, 8));
  }

  private static SparseLinear layer(SparseLinear.Config config, long in, long out) {
    return config.build(in, out, true, Initializer.normal(0.4));
  }

  /** Where bits or patterns say that values stand, read in the plainest way. */
  private static List<Integer> places(SparseLinear.Config config, double[] code, int in, int out) {
    List<Integer> places = new ArrayList<>();
    if (config.of() == 0) {
      for (int i = 0; i < in * out; i++) {
        if (((int) code[i / 8] >> (i % 8)) % 2 == 1) {
          places.add(i);
        }
      }
      return places;
    }
    List<List<Integer>> patterns = new ArrayList<>();
    for (int set = 0; set < 1 << config.of(); set++) {
      List<Integer> pattern = new ArrayList<>();
      for (int i = 0; i < config.of(); i++) {
        if ((set >> i) % 2 == 1) {
          pattern.add(i);
        }
      }
      if (pattern.size() == config.keep()) {
        patterns.add(pattern);
      }
    }
    int bits = patterns.size() <= 2 ? 1 : patterns.size() <= 4 ? 2 : patterns.size() <= 16 ? 4 : 8;
    for (int group = 0; group < in * out / config.of(); group++) {
      int at = group * bits;
      int number = ((int) code[at / 8] >> (at % 8)) % (1 << bits);
      for (int place : patterns.get(number)) {
        places.add(group * config.of() + place);
      }
    }
    return places;
  }

  private static double[][] matrix(SparseLinear.Config config, Weights w, int in, int out) {
    double[] code = w.vector(config.of() == 0 ? "mask" : "patterns");
    double[] values = w.vector("values");
    double[][] matrix = new double[out][in];
    List<Integer> places = places(config, code, in, out);
    assertEquals(values.length, places.size());
    for (int i = 0; i < values.length; i++) {
      matrix[places.get(i) / in][places.get(i) % in] = values[i];
    }
    return matrix;
  }

  @ParameterizedTest
  @MethodSource("forms")
  void isTheProductWithTheMatrixThatItsBitsSay(SparseLinear.Config config) {
    ModuleChecks.matches(
        layer(config, 8, 5),
        (x, w) -> Loops.linear(x, matrix(config, w, 8, 5), w.vector("bias")),
        3,
        8);
  }

  @ParameterizedTest
  @MethodSource("forms")
  void inferenceGivesWhatTrainingGives(SparseLinear.Config config) {
    Tensor x = Tensor.randn(3, 4, 16);
    SparseLinear layer = layer(config, 16, 7);
    Tensor trained = layer.forward(x).detach();
    layer.train(false);
    try (Mode mode = Autograd.inference()) {
      assertSame(trained, layer.forward(x), "without gradients");
      assertEquals(0, new SparseLinear.Config(0.5).build(16, 7, true, none()).derivedBytes());
    }
  }

  private static Initializer none() {
    return Initializer.zeros();
  }

  @Test
  void holdsWhatItIsFilledWith() {
    Tensor weight = Tensor.randn(6, 16);
    Tensor mask = Tensor.rand(6, 16).lt(0.2);
    SparseLinear layer = layer(new SparseLinear.Config(0.9), 16, 6);
    layer.fill(weight, mask);
    assertSame(mask, layer.mask(), "mask");
    assertSame(weight.mul(mask.to(DType.FLOAT32)), layer.weight(), "weight");
    assertEquals(
        (long) mask.to(DType.FLOAT32).sum().item(), layer.values().value().elements(), "values");
    assertTrue(layer.values().value().requiresGrad());

    SparseLinear pairs = layer(new SparseLinear.Config(1, 2), 16, 6);
    var error = assertThrows(IllegalArgumentException.class, () -> pairs.fill(weight, mask));
    assertTrue(error.getMessage().contains("1:2"), error.getMessage());
    assertThrows(IllegalArgumentException.class, () -> layer.fill(weight.mul(Double.NaN), mask));
    layer.fill(weight, mask.and(mask.not()));
    assertSame(Tensor.zeros(6, 16), layer.weight(), "nothing kept");
  }

  @ParameterizedTest
  @CsvSource({"0.5, 0, 0", "0.1, 0, 0", "0.5, 1, 2", "0.5, 4, 8"})
  void takesAsManyBitsAsItSays(double density, int keep, int of) {
    var config = new SparseLinear.Config(density, keep, of, 32, Execution.FRUGAL);
    double bytes =
        config.build(64, 32, false, none()).parameters().values().stream()
            .mapToDouble(p -> p.value().elements() * p.value().dtype().bytes())
            .sum();
    double perPosition = of == 0 ? 1 : of == 2 ? 0.5 : 1;
    assertEquals(32 * Math.round(density * 2048) + perPosition * 2048, 8 * bytes, 1e-9);
  }

  @Test
  void theMatrixIsKeptOnlyWhereThatIsAskedFor() {
    Tensor x = Tensor.randn(2, 16);
    for (Execution execution : Execution.values()) {
      SparseLinear layer = layer(new SparseLinear.Config(0.5, 0, 0, 32, execution), 16, 4);
      layer.train(false);
      try (Mode mode = Autograd.noGrad()) {
        Tensor before = layer.forward(x).copy();
        assertEquals(execution == Execution.DENSE ? 4 * 64 : 0, layer.derivedBytes());
        layer.values().value().detach().mul_(2);
        Tensor bias = layer.bias().value();
        assertClose(
            before.sub(bias).mul(2).add(bias), layer.forward(x), 1e-5); // not what it was made of
      }
    }
  }

  @Test
  void eightBitsRoundToTheRowsScale() {
    Tensor weight = Tensor.randn(5, 16);
    Tensor mask = Tensor.rand(5, 16).lt(0.6);
    var config = new SparseLinear.Config(0.5).withBits(8);
    assertFalse(config.trains());
    SparseLinear layer = config.build(16, 5, true, none());
    assertThrows(UnsupportedOperationException.class, () -> layer.forward(Tensor.randn(2, 16)));
    layer.train(false);
    layer.fill(weight, mask);
    float[] w = weight.toFloats();
    double[] kept = mask.to(DType.FLOAT32).toDoubles();
    double[] expected = new double[80];
    for (int row = 0; row < 5; row++) {
      double largest = 0;
      for (int i = 16 * row; i < 16 * row + 16; i++) {
        largest = Math.max(largest, kept[i] * Math.abs(w[i]));
      }
      for (int i = 16 * row; i < 16 * row + 16; i++) {
        expected[i] = kept[i] * Math.rint(w[i] / (largest / 127)) * (largest / 127);
      }
    }
    assertClose(expected, layer.weight().reshape(-1), 1e-6);
    Tensor x = Tensor.randn(3, 16);
    assertClose(Functional.linear(x, layer.weight(), null), layer.forward(x), 1e-6);
    assertEquals(1, layer.values().value().dtype().bytes());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'density':0",
        "'density':1.5",
        "'keep':2",
        "'keep':4,'of':4",
        "'keep':3,'of':9,'density':0.3333333333333333",
        "'keep':1,'of':4",
        "'bits':4"
      })
  void refusesWhatIsNoSparsity(String fields) {
    String json = "{'type':'sparse'," + fields + "}";
    assertThrows(
        RuntimeException.class,
        () -> Configs.parse(json.replace('\'', '"'), Projection.class),
        fields);
  }

  @Test
  void groupsMustFillRows() {
    var error =
        assertThrows(
            IllegalArgumentException.class, () -> layer(new SparseLinear.Config(2, 4), 10, 4));
    assertTrue(error.getMessage().contains("10"), error.getMessage());
  }

  @Test
  void damagedWeightsAreNoticed() {
    SparseLinear layer = layer(new SparseLinear.Config(0.5), 16, 4);
    layer.train(false);
    layer.values().copyFrom(Tensor.zeros(1, 3));
    try (Mode mode = Autograd.noGrad()) {
      var error = assertThrows(IllegalStateException.class, layer::weight);
      assertTrue(error.getMessage().contains("3 values and 32 positions"), error.getMessage());
    }
  }
}
