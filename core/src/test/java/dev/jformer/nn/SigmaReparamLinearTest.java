package dev.jformer.nn;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.io.IOException;
import java.io.InputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class SigmaReparamLinearTest {
  private static final Operator SINGULAR_VALUES = Operator.named("aten::linalg_svdvals");

  private static SigmaReparamLinear layer(long in, long out, SigmaReparamLinear.Gain gain) {
    return new SigmaReparamLinear.Config(gain).build(in, out, true, Initializer.normal(0.4));
  }

  private static SigmaReparamLinear layer(long in, long out) {
    return layer(in, out, SigmaReparamLinear.Gain.SPECTRAL_NORM);
  }

  private static double norm(Tensor matrix) {
    return SINGULAR_VALUES.call(matrix.detach().to(DType.FLOAT64)).max().item();
  }

  private static Tensor u(Module layer) {
    return layer.parameters().get("u").value();
  }

  /** The definition in plain loops; the vectors are held fixed while weights vary. */
  private static final class Definition implements Naive {
    private double[] v;
    private double[] u;

    @Override
    public double[][] forward(double[][] x, Weights weights) {
      double[][] w = weights.matrix("weight");
      if (v == null) {
        v = new double[w.length];
        u = new double[w[0].length];
        double[] before = weights.vector("u");
        for (int o = 0; o < w.length; o++) {
          for (int i = 0; i < u.length; i++) {
            v[o] += w[o][i] * before[i];
          }
        }
        normalise(v);
        for (int i = 0; i < u.length; i++) {
          for (int o = 0; o < w.length; o++) {
            u[i] += w[o][i] * v[o];
          }
        }
        normalise(u);
      }
      double sigma = 0;
      for (int o = 0; o < w.length; o++) {
        for (int i = 0; i < u.length; i++) {
          sigma += v[o] * w[o][i] * u[i];
        }
      }
      double scale = weights.vector("gain")[0] / sigma;
      return Loops.linear(x, Loops.map(w, entry -> entry * scale), weights.vector("bias"));
    }

    private static void normalise(double[] vector) {
      double length = 0;
      for (double entry : vector) {
        length += entry * entry;
      }
      for (int i = 0; i < vector.length; i++) {
        vector[i] /= Math.sqrt(length);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"5, 3, true", "3, 7, true", "4, 4, false", "1, 6, true", "6, 1, false", "1, 1, true"})
  void matchesItsDefinition(int in, int out, boolean bias) {
    SigmaReparamLinear layer =
        new SigmaReparamLinear.Config().build(in, out, bias, Initializer.normal(0.4));
    layer.train(false); // the definition needs the vector as it was before
    ModuleChecks.matches(layer, new Definition(), 4, in);
  }

  @Test
  void trainingGivesTheSameAndTakesTheVectorAlong() {
    SigmaReparamLinear layer = Weights.draw(layer(6, 9));
    Tensor x = Tensor.randn(2, 5, 6).to(DType.FLOAT64);
    Tensor before = u(layer).copy();
    layer.train(false);
    Tensor inference = layer.forward(x);
    assertSame(before, u(layer), "u after inference");
    inference.square().sum().backward();
    Tensor gradient = layer.weight().value().grad().copy();
    layer.clearGrads();
    layer.train(true);
    Tensor training = layer.forward(x);
    assertSame(inference, training, "output");
    assertFalse(before.sameAs(u(layer)), "u after training");
    training.square().sum().backward();
    assertSame(gradient, layer.weight().value().grad(), "gradient");
    assertEquals(1, u(layer).norm().item(), 1e-6);
    assertFalse(u(layer).requiresGrad());
  }

  /** Two passes before one backward pass, as some losses need. */
  @Test
  void gradientsSurviveAnotherPass() {
    SigmaReparamLinear layer = Weights.draw(layer(4, 3));
    Tensor x = Tensor.randn(5, 4).to(DType.FLOAT64);
    Tensor first = layer.forward(x);
    Tensor second = layer.forward(x);
    first.sum().add(second.sum()).backward();
    assertTrue(layer.weight().value().grad().isFinite().all());
  }

  @ParameterizedTest
  @CsvSource({"24, 60", "60, 24", "40, 40"})
  void startsAsThePlainLayerOfTheSameWeight(int in, int out) {
    SigmaReparamLinear layer = layer(in, out);
    double norm = norm(layer.weight().value());
    assertEquals(norm, layer.gain().value().item(), 1e-5 * norm);
    assertEquals(norm, layer.weight().value().matmul(u(layer)).norm().item(), 1e-5 * norm);
    Tensor x = Tensor.randn(7, in);
    Tensor plain = x.matmul(layer.weight().value().t());
    assertClose(plain, layer.forward(x), 1e-5);
  }

  @Test
  void drawsWhatThePlainLayerDraws() {
    dev.jformer.tensor.Random.seed(4);
    Layer plain = new Linear.Config().build(5, 3, true, Initializer.normal(1));
    Tensor next = Tensor.randn(1);
    dev.jformer.tensor.Random.seed(4);
    SigmaReparamLinear layer =
        new SigmaReparamLinear.Config().build(5, 3, true, Initializer.normal(1));
    assertSame(plain.parameters().get("weight").value(), layer.weight().value(), "weight");
    assertSame(next, Tensor.randn(1), "what is drawn next");
  }

  @Test
  void gainIsTheSpectralNormAndFollowsTheWeight() {
    SigmaReparamLinear layer = layer(30, 20, SigmaReparamLinear.Gain.ONE);
    assertEquals(1, norm(layer.folded().weight().value()), 1e-5);
    layer.gain().copyFrom(Tensor.scalar(-2.5));
    layer.weight().copyFrom(Tensor.randn(20, 30)); // another weight: the old vector is of no use
    for (int pass = 0; pass < 300; pass++) {
      layer.forward(Tensor.zeros(1, 30));
    }
    assertEquals(2.5, norm(layer.folded().weight().value()), 1e-4);
  }

  @Test
  void onlyTheDirectionOfTheWeightCounts() {
    SigmaReparamLinear layer = Weights.draw(layer(5, 8));
    layer.train(false);
    Tensor x = Tensor.randn(3, 5).to(DType.FLOAT64);
    Tensor before = layer.forward(x);
    layer.weight().copyFrom(layer.weight().value().mul(7.5));
    u(layer).mul_(0.125); // nor does the length of u, so that its moving average serves
    assertClose(before, layer.forward(x), 1e-12);
    // A scale that does nothing has no gradient: the gradient is orthogonal to the weight.
    layer.forward(x).square().sum().backward();
    Tensor w = layer.weight().value();
    double along = w.grad().mul(w).sum().item();
    assertEquals(0, along / (w.grad().norm().item() * w.norm().item()), 1e-7);
  }

  @Test
  void autocastLeavesTheVectorInFloat32() {
    SigmaReparamLinear layer = layer(16, 24);
    Tensor before = u(layer).copy();
    Tensor x = Tensor.randn(3, 16);
    layer.weight().value().detach().add_(Tensor.randn(24, 16), 0.1);
    Tensor full = layer.forward(x);
    Tensor after = u(layer).copy();
    assertFalse(before.sameAs(after));
    u(layer).copy_(before);
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, true)) {
      Tensor half = layer.forward(x);
      assertEquals(DType.BFLOAT16, half.dtype());
      assertClose(full, half.to(DType.FLOAT32), 0.05);
    }
    assertSame(after, u(layer), "u under autocast");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void foldsIntoAPlainLayer(boolean bias) {
    SigmaReparamLinear layer =
        Weights.draw(new SigmaReparamLinear.Config().build(6, 4, bias, Initializer.normal(0.4)));
    layer.train(false);
    Linear plain = layer.folded();
    Tensor x = Tensor.randn(3, 6).to(DType.FLOAT64);
    assertClose(layer.forward(x), plain.forward(x), 1e-14);
    assertEquals(bias, plain.bias() != null);
    assertTrue(plain.weight().value().requiresGrad());
    layer.close();
    assertTrue(plain.forward(x).isFinite().all(), "the folded layer's weights are its own");
  }

  /** Values of the authors' code: tools/fixtures/make_sigma_reparam.py. */
  @Test
  void trainsAsTheAuthorsLayerDoes() throws IOException {
    JsonNode fixture;
    try (InputStream file = getClass().getResourceAsStream("sigma-reparam.json")) {
      fixture = new JsonMapper().readTree(file);
    }
    double rate = fixture.get("rate").asDouble();
    for (JsonNode expected : fixture.get("cases")) {
      int in = expected.get("in").asInt();
      int out = expected.get("out").asInt();
      Tensor weight = tensor(expected.get("weight"), out, in);
      SigmaReparamLinear layer =
          new SigmaReparamLinear.Config().build(in, out, true, shape -> weight);
      layer.parameters().get("bias").replace(Tensor.of(numbers(expected.get("bias"))));
      assertClose(numbers(expected.get("gain")), layer.gain().value(), 1e-12);
      Tensor x = tensor(expected.get("x"), -1, in);
      Tensor direction = tensor(expected.get("direction"), -1, out);
      for (JsonNode step : expected.get("steps")) {
        layer.clearGrads();
        Tensor y = layer.forward(x);
        y.mul(direction).sum().backward();
        assertClose(numbers(step.get("output")), y, 1e-11);
        assertClose(numbers(step.get("weightGradient")), layer.weight().value().grad(), 1e-10);
        assertClose(numbers(step.get("gainGradient")), layer.gain().value().grad(), 1e-10);
        double[] u = numbers(step.get("u"));
        double sign = Math.signum(u[0] * u(layer).select(0, 0).item()); // each SVD picks its own
        assertClose(u, u(layer).mul(sign), 1e-11);
        try (Mode mode = Autograd.noGrad()) {
          layer.trained().forEach(p -> p.value().add_(p.value().grad(), -rate));
        }
      }
      layer.train(false);
      assertClose(numbers(expected.get("inference")), layer.forward(x), 1e-11);
    }
  }

  private static double[] numbers(JsonNode list) {
    double[] values = new double[list.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = list.get(i).asDouble();
    }
    return values;
  }

  private static Tensor tensor(JsonNode list, long rows, long columns) {
    return Tensor.of(numbers(list)).reshape(rows, columns);
  }

  @Test
  void isFoundByItsType() {
    Projection found =
        Configs.parse("{\"type\": \"sigma-reparam\", \"gain\": \"one\"}", Projection.class);
    assertEquals(new SigmaReparamLinear.Config(SigmaReparamLinear.Gain.ONE), found);
    assertEquals(found, Configs.parse(Configs.toJson(found), Projection.class));
    Projection standard = Configs.parse("{\"type\": \"sigma-reparam\"}", Projection.class);
    SigmaReparamLinear layer =
        assertInstanceOf(
            SigmaReparamLinear.class, standard.build(3, 2, false, Initializer.normal(1)));
    assertEquals(
        java.util.List.of("weight", "gain", "u"),
        java.util.List.copyOf(layer.parameters().keySet()));
  }

  @ParameterizedTest
  @EnumSource(SigmaReparamLinear.Gain.class)
  void canBeBuiltWithoutMemory(SigmaReparamLinear.Gain gain) {
    SigmaReparamLinear real = layer(4, 6, gain);
    SigmaReparamLinear dry;
    try (Mode mode = MetaMode.open(100)) {
      dry = layer(4, 6, gain);
    }
    assertEquals(real.parameters().keySet(), dry.parameters().keySet());
    real.parameters()
        .forEach(
            (name, p) ->
                assertEquals(p.value().shape(), dry.parameters().get(name).value().shape(), name));
  }

  @Test
  void saysWhatIsWrong() {
    var unknown =
        assertThrows(
            ConfigException.class,
            () -> Configs.parse("{\"type\": \"sigma-reparam\", \"gain\": 2}", Projection.class));
    assertTrue(unknown.getMessage().contains("spectral-norm, one"), unknown.getMessage());
    var missing =
        assertThrows(IllegalArgumentException.class, () -> new SigmaReparamLinear.Config(null));
    assertTrue(missing.getMessage().contains("gain is null"), missing.getMessage());
    var zero =
        assertThrows(
            IllegalArgumentException.class,
            () -> new SigmaReparamLinear.Config().build(3, 2, true, Initializer.zeros()));
    assertTrue(zero.getMessage().contains("must not start at zero"), zero.getMessage());
  }
}
