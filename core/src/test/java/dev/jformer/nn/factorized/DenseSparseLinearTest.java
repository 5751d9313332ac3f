package dev.jformer.nn.factorized;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Projection;
import dev.jformer.nn.factorized.DenseSparseLinear.Execution;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Dense-sparse factors (arXiv 2312.13211) beside loops over the bits that say where values are. */
@ExtendWith(Scoped.class)
class DenseSparseLinearTest {
  @BeforeEach
  void seed() {
    Random.seed(5);
  }

  /** Places in bits, in numbers, and outputs that do not fill their blocks. */
  static Stream<DenseSparseLinear.Config> formats() {
    return Stream.of(
        config(1.2, 4, 6),
        config(2, 8, 6),
        config(3, 12, 9),
        config(3.57, 20, 5),
        config(2, 32, 48));
  }

  private static DenseSparseLinear.Config config(double factor, int block, int basis) {
    return new DenseSparseLinear.Config(factor, block, basis, 32, Execution.FRUGAL);
  }

  private static DenseSparseLinear layer(DenseSparseLinear.Config config, long in, long out) {
    return config.build(in, out, true, Initializer.normal(0.4));
  }

  /** Where coefficients stand, as the file says it, read in the plainest way. */
  private static List<Integer> places(DenseSparseFormat format, Weights w) {
    List<Integer> places = new ArrayList<>();
    int rows = (int) (format.blocks() * format.in());
    if (w.values().containsKey("mask")) {
      double[] bytes = w.vector("mask");
      for (int i = 0; i < rows * format.basis(); i++) {
        if (((int) bytes[i / 8] >> (i % 8)) % 2 == 1) {
          places.add(i);
        }
      }
      return places;
    }
    StringBuilder bits = new StringBuilder();
    for (double value : w.vector("indices")) {
      bits.append(
          new StringBuilder(String.format("%8s", Integer.toBinaryString((int) value)))
              .reverse()
              .toString()
              .replace(' ', '0'));
    }
    int each = Integer.toBinaryString(format.basis() - 1).length();
    for (int i = 0; i < rows * format.nonzeros(); i++) {
      String one = bits.substring(i * each, (i + 1) * each);
      int column = Integer.parseInt(new StringBuilder(one).reverse().toString(), 2);
      places.add(i / format.nonzeros() * format.basis() + column);
    }
    return places;
  }

  private static double[][] matrix(DenseSparseFormat format, Weights w) {
    double[] values = w.vector("values");
    double[] bases = w.values().get("basis");
    List<Integer> places = places(format, w);
    assertEquals(values.length, places.size());
    double[][] matrix = new double[(int) format.out()][(int) format.in()];
    for (int i = 0; i < values.length; i++) {
      int row = places.get(i) / format.basis();
      int vector = places.get(i) % format.basis();
      int block = row / (int) format.in();
      for (int o = 0; o < format.block(); o++) {
        int output = block * format.block() + o;
        if (output < format.out()) {
          matrix[output][row % (int) format.in()] +=
              values[i] * bases[(block * format.basis() + vector) * format.block() + o];
        }
      }
    }
    return matrix;
  }

  @ParameterizedTest
  @MethodSource("formats")
  void isTheProductWithWhatTheFactorsSay(DenseSparseLinear.Config config) {
    DenseSparseLinear layer = layer(config, 24, 20);
    ModuleChecks.matches(
        layer, (x, w) -> Loops.linear(x, matrix(layer.format(), w), w.vector("bias")), 2, 24);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void allWaysToComputeAreEqual(DenseSparseLinear.Config config) {
    Tensor x = Tensor.randn(3, 4, 24);
    DenseSparseLinear layer = layer(config, 24, 20);
    Tensor trained = layer.forward(x).detach();
    for (Execution execution : Execution.values()) {
      DenseSparseLinear other = layer(config.withExecution(execution), 24, 20);
      other.fill(layer);
      other.train(false);
      try (Mode mode = Autograd.inference()) {
        assertClose(trained, other.forward(x), 1e-5);
        assertEquals(execution == Execution.FRUGAL, other.derivedBytes() == 0, "" + execution);
        other.bases().value().detach().mul_(2); // what was made of it is out of date
        assertClose(trained.mul(2), other.forward(x), 1e-5);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "384, 384, 2",
    "384, 384, 2.8",
    "384, 384, 3.57",
    "384, 1536, 3.57",
    "1536, 384, 2",
    "64, 48, 2"
  })
  void takesNoMoreThanItSays(long in, long out, double factor) {
    DenseSparseLinear layer = layer(new DenseSparseLinear.Config(factor), in, out);
    double bytes =
        layer.parameters().entrySet().stream()
            .filter(p -> !p.getKey().equals("bias"))
            .mapToDouble(
                p -> p.getValue().value().elements() * p.getValue().value().dtype().bytes())
            .sum();
    double most = 4.0 * in * out / factor;
    assertTrue(bytes <= most, bytes + " of " + most);
    double more = layer.format().blocks() * in * 5.0; // a coefficient more for each row
    assertTrue(
        bytes + more > most || layer.format().nonzeros() == layer.format().basis(), "room is left");
  }

  @Test
  void holdsWhatItIsFilledWith() {
    DenseSparseLinear layer = layer(config(1.5, 8, 6), 24, 16);
    DenseSparseFormat format = layer.format();
    Tensor all = Tensor.randn(format.blocks(), 24, format.basis());
    Tensor bases = Tensor.randn(format.blocks(), format.basis(), 8);
    Tensor mask = format.largest(all).gt(0);
    layer.fill(all, mask, bases);
    Tensor kept = all.mul(mask.to(DType.FLOAT32));
    for (int b = 0; b < format.blocks(); b++) {
      assertClose(
          kept.select(0, b).matmul(bases.select(0, b)).t(),
          layer.weight().narrow(0, 8L * b, 8),
          1e-5);
    }
    Tensor more = Tensor.ones(all.shape().toArray()).gt(0);
    var error = assertThrows(IllegalArgumentException.class, () -> layer.fill(all, more, bases));
    assertTrue(error.getMessage().contains("expected " + format.nonzeros()), error.getMessage());
    assertThrows(
        IllegalArgumentException.class, () -> layer.fill(all.mul(Double.NaN), mask, bases));
  }

  @Test
  void eightBitsAreRoundedToTheScaleOfTheirVector() {
    DenseSparseLinear.Config config = config(1.5, 8, 6);
    DenseSparseLinear layer = layer(config, 24, 16);
    DenseSparseLinear small = config.withBits(8).build(24, 16, true, Initializer.zeros());
    assertFalse(config.withBits(8).trains());
    assertThrows(UnsupportedOperationException.class, () -> small.forward(Tensor.randn(2, 24)));
    small.train(false);
    small.fill(layer);
    Weights w = Weights.of(layer);
    DenseSparseFormat format = layer.format();
    List<Integer> places = places(format, w);
    double[] values = w.vector("values");
    double[] bases = w.values().get("basis");
    int vectors = (int) (format.blocks() * format.basis());
    double[] high = new double[vectors];
    double[] wide = new double[vectors];
    for (int i = 0; i < values.length; i++) {
      int vector = vector(format, places.get(i));
      high[vector] = Math.max(high[vector], Math.abs(values[i]));
    }
    for (int i = 0; i < bases.length; i++) {
      wide[i / 8] = Math.max(wide[i / 8], Math.abs(bases[i]));
    }
    for (int i = 0; i < values.length; i++) {
      double step = high[vector(format, places.get(i))] / 127;
      values[i] = step == 0 ? 0 : Math.rint(values[i] / step) * step;
    }
    for (int i = 0; i < bases.length; i++) {
      double step = wide[i / 8] / 127;
      bases[i] = step == 0 ? 0 : Math.rint(bases[i] / step) * step;
    }
    double[][] expected = matrix(format, w);
    assertClose(
        Stream.of(expected).flatMapToDouble(java.util.Arrays::stream).toArray(),
        small.weight().reshape(-1),
        1e-5);
    assertEquals(1, small.values().value().dtype().bytes());
    assertEquals(1, small.bases().value().dtype().bytes());
    Tensor x = Tensor.randn(3, 24);
    assertClose(Functional.linear(x, small.weight(), null), small.forward(x), 1e-5);
  }

  private static int vector(DenseSparseFormat format, int place) {
    int block = place / format.basis() / (int) format.in();
    return block * format.basis() + place % format.basis();
  }

  // ---- The training form

  private static double[][] largest(double[][] rows, int count) {
    double[][] kept = new double[rows.length][];
    for (int r = 0; r < rows.length; r++) {
      double[] row = rows[r];
      double[] sizes = java.util.Arrays.stream(row).map(Math::abs).sorted().toArray();
      double least = sizes[row.length - count];
      kept[r] = java.util.Arrays.stream(row).map(c -> Math.abs(c) >= least ? c : 0).toArray();
    }
    return kept;
  }

  /** Gradients as if all coefficients had been used; those of the input and bases of what was. */
  @Test
  void masksInTheForwardPassAndNotInTheBackwardOne() {
    var config = new StraightThroughFactorizer.Config(1.5, 8, 6);
    StraightThroughFactorizer layer = config.build(24, 16, true, Initializer.normal(0.4));
    Weights.draw(layer);
    DenseSparseFormat format = layer.format();
    Weights w = Weights.of(layer);
    double[][] all = w.matrix("coefficients");
    double[][] used = largest(all, format.nonzeros());
    double[][] bases = w.matrix("basis");
    double[][] weight = new double[16][24];
    for (int r = 0; r < used.length; r++) {
      for (int k = 0; k < format.basis(); k++) {
        for (int o = 0; o < 8; o++) {
          weight[r / 24 * 8 + o][r % 24] += used[r][k] * bases[r / 24 * format.basis() + k][o];
        }
      }
    }
    Tensor x = Tensor.randn(5, 24).to(DType.FLOAT64).requiresGrad(true);
    Tensor g = Tensor.randn(5, 16).to(DType.FLOAT64);
    Tensor y = layer.forward(x);
    y.backward(g);
    double[][] inputs = rows(x.detach(), 24);
    double[][] slopes = rows(g, 16);
    assertClose(flat(Loops.linear(inputs, weight, w.vector("bias"))), y, 1e-9);
    double[][] coefficients = new double[used.length][format.basis()];
    double[][] vectors = new double[bases.length][8];
    double[][] back = new double[5][24];
    for (int t = 0; t < 5; t++) {
      for (int o = 0; o < 16; o++) {
        for (int i = 0; i < 24; i++) {
          double slope = slopes[t][o] * inputs[t][i];
          int row = o / 8 * 24 + i;
          back[t][i] += slopes[t][o] * weight[o][i];
          for (int k = 0; k < format.basis(); k++) {
            int vector = o / 8 * format.basis() + k;
            coefficients[row][k] += slope * bases[vector][o % 8];
            vectors[vector][o % 8] += slope * used[row][k];
          }
        }
      }
    }
    assertClose(flat(back), x.grad(), 1e-9);
    assertClose(flat(coefficients), layer.coefficients().value().grad(), 1e-9);
    assertClose(flat(vectors), layer.parameters().get("basis").value().grad(), 1e-9);
  }

  private static double[][] rows(Tensor matrix, int width) {
    double[] flat = matrix.toDoubles();
    double[][] rows = new double[flat.length / width][];
    for (int r = 0; r < rows.length; r++) {
      rows[r] = java.util.Arrays.copyOfRange(flat, r * width, (r + 1) * width);
    }
    return rows;
  }

  private static double[] flat(double[][] rows) {
    return Stream.of(rows).flatMapToDouble(java.util.Arrays::stream).toArray();
  }

  @Test
  void foldsIntoWhatItComputes() {
    var config = new StraightThroughFactorizer.Config(2.8, 16, 12);
    StraightThroughFactorizer layer = config.build(48, 32, true, Initializer.normal(0.4));
    layer.parameters().get("bias").copyFrom(Tensor.randn(32));
    DenseSparseLinear folded = layer.folded();
    folded.train(false);
    Tensor x = Tensor.randn(3, 48);
    try (Mode mode = Autograd.noGrad()) {
      assertClose(layer.forward(x), folded.forward(x), 1e-6);
    }
    assertEquals(
        folded.format().rows() * folded.format().nonzeros(), folded.values().value().elements());
    assertEquals(config.folded(), new DenseSparseLinear.Config(2.8, 16, 12, 32, Execution.FRUGAL));
  }

  @Test
  void startsWithTheVarianceOfTheInitializer() {
    for (Projection part :
        List.of(new DenseSparseLinear.Config(2), new StraightThroughFactorizer.Config(3.57))) {
      Layer layer = part.build(384, 256, false, Initializer.normal(0.1));
      layer.train(false);
      try (Mode mode = Autograd.noGrad()) {
        Tensor eye = Tensor.zeros(384, 384);
        eye = eye.add(Tensor.ones(384, 384).tril(0).sub(Tensor.ones(384, 384).tril(-1)));
        Tensor weight = layer.forward(eye);
        double deviation = weight.norm().item() / Math.sqrt((double) weight.elements());
        assertEquals(0.1, deviation, 0.005, part.type());
      }
    }
  }

  @Test
  void damagedPlacesAreNoticed() {
    DenseSparseLinear layer = layer(config(3, 16, 9), 60, 32);
    assertTrue(layer.parameters().containsKey("indices"));
    layer.train(false);
    layer
        .parameters()
        .get("indices")
        .copyFrom(
            Tensor.full(255, DType.UINT8, layer.parameters().get("indices").value().elements()));
    try (Mode mode = Autograd.noGrad()) {
      var error = assertThrows(IllegalStateException.class, layer::weight);
      assertTrue(error.getMessage().contains("damaged"), error.getMessage());
    }
    DenseSparseLinear bits = layer(config(1.2, 4, 6), 24, 8);
    assertTrue(bits.parameters().containsKey("mask"));
    bits.train(false);
    bits.parameters().get("mask").value().zero_();
    try (Mode mode = Autograd.noGrad()) {
      var error = assertThrows(IllegalStateException.class, bits::weight);
      assertTrue(error.getMessage().contains("0 positions"), error.getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"'factor':1", "'factor':-2", "'block':0", "'basis':0", "'bits':4"})
  void refusesWhatIsNoFormat(String fields) {
    String json = "{'type':'dsformer'," + fields + "}";
    assertThrows(
        RuntimeException.class,
        () -> Configs.parse(json.replace('\'', '"'), Projection.class),
        fields);
  }

  @Test
  void layersThatAreTooSmallAreRefused() {
    var error =
        assertThrows(
            IllegalArgumentException.class, () -> layer(new DenseSparseLinear.Config(50), 8, 4));
    assertTrue(error.getMessage().contains("8 inputs and 4 outputs"), error.getMessage());
    assertThrows(
        IllegalArgumentException.class,
        () -> new LowRankLinear.Config(50).build(8, 4, false, Initializer.zeros()));
  }

  @Test
  void lowRankIsTheProductOfItsFactors() {
    LowRankLinear layer = new LowRankLinear.Config(2).build(12, 8, true, Initializer.normal(0.4));
    assertEquals(2, layer.rank()); // 2 * (12 + 8) of 12 * 8 / 2
    ModuleChecks.matches(
        layer,
        (x, w) ->
            Loops.linear(Loops.linear(x, w.matrix("down"), null), w.matrix("up"), w.vector("bias")),
        3,
        12);
    assertSame(layer.down().value(), layer.parameters().get("down").value(), "A");
  }
}
