package dev.jformer.compress.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.SigmaReparamLinear;
import dev.jformer.nn.quantized.NoisyLinear;
import dev.jformer.nn.quantized.PtqLinear;
import dev.jformer.nn.quantized.RangeRule;
import dev.jformer.nn.quantized.UniformGrid;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class NoisyQuantTest {
  private static final int VOCAB = 11;
  private static final Ptq SIX = new Ptq(6, 6, false, new RangeRule.MinMax());

  @TempDir private Path folder;

  private static CausalLm.Config config(dev.jformer.nn.Projection projection) {
    CausalLm.Config c = new CausalLm.Config();
    return c.with(x -> x.vocab(VOCAB).length(6).tied(true))
        .withStack(s -> s.layers(2).width(32))
        .withBlock(b -> b.bias(true).dropout(0).projection(projection));
  }

  /** With weights large enough that the blocks matter. */
  private static CausalLm model() {
    CausalLm model = config(new Linear.Config()).build();
    model
        .parameters()
        .forEach(
            (name, p) -> {
              if (name.matches("blocks.*weight") && p.value().rank() == 2) {
                p.copyFrom(Tensor.randn(p.value().shape().toArray()).mul(0.3));
              }
            });
    model.train(false);
    return model;
  }

  private static CalibrationData data() {
    Tensor ids = Tensor.randint(0, VOCAB, 8, 6);
    return model -> ((CausalLm) model).logits(ids);
  }

  private static double distance(Model a, Model b) {
    try (Mode mode = Autograd.noGrad()) {
      Tensor ids = Tensor.of(new long[] {1, 7, 3, 9, 2, 5}, 1, 6);
      Tensor first = ((CausalLm) a).logits(ids);
      return first.sub(((CausalLm) b).logits(ids)).norm().item() / first.norm().item();
    }
  }

  // ---- Theory

  /** The closed form against the mean over two million draws of a grid's own rounding. */
  @ParameterizedTest
  @CsvSource({"0, 0.5", "0.5, 0.5", "0.3, 0.2", "0.45, 0.3", "0.2, 1", "1.37, 0.8", "-0.61, 0.1"})
  void expectedErrorIsThatOfTheQuantizer(double x, double n) {
    double step = 0.25;
    UniformGrid grid = new UniformGrid(step, 0, 8);
    double[] draws = new SplittableRandom(Scoped.seed()).doubles(2_000_000).toArray();
    for (int i = 0; i < draws.length; i++) {
      draws[i] = step * n * (2 * draws[i] - 1);
    }
    Tensor noise = Tensor.of(draws);
    Tensor noisy = noise.add(step * x);
    double q = grid.rounded(noisy).to(DType.FLOAT64).sub(noisy).square().mean().item();
    double expected = NoisyQuant.expectedError(step * x, step, step * n);
    // Errors are at most step²/4; the mean of so many strays by less than a thousandth of that.
    assertEquals(expected, q, 1e-3 * step * step / 4);
  }

  @Test
  void expectedErrorWithoutAndWithOneStepOfNoise() {
    for (double x = -2; x < 2; x += 0.0371) {
      double distance = Math.abs(x - Math.rint(x));
      assertEquals(distance * distance, NoisyQuant.expectedError(x, 1, 0), 1e-12);
      assertEquals(distance * distance, NoisyQuant.expectedError(x, 1, 1e-5), 1e-5);
      assertEquals(1.0 / 12, NoisyQuant.expectedError(x, 1, 0.5), 1e-12);
      boolean helps = NoisyQuant.expectedError(x, 1, 0.5) < NoisyQuant.expectedError(x, 1, 0);
      assertEquals(distance > 1 / Math.sqrt(12), helps, "at " + x);
    }
    assertThrows(IllegalArgumentException.class, () -> NoisyQuant.expectedError(0, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> NoisyQuant.expectedError(0, 1, -1));
  }

  // ---- Surgery

  @Test
  void operatesAndLeavesTheSourceAsItWas() {
    CausalLm model = model();
    model.train(true);
    Map<String, Tensor> before = new LinkedHashMap<>();
    model.parameters().forEach((name, p) -> before.put(name, p.value().detach().copy()));
    var modules = new LinkedHashMap<>(model.modules());
    Tensor random = Random.state();
    Model quantized = SIX.apply(model, data(8));
    Model noisy = new NoisyQuant(SIX).apply(model, data(8));
    assertTrue(random.sameAs(Random.state()), "surgery draws nothing from the engine's numbers");
    assertEquals(modules, model.modules());
    assertTrue(model.isTraining());
    before.forEach(
        (name, value) -> assertTrue(value.sameAs(model.parameters().get(name).value()), name));
    assertFalse(noisy.isTraining());
    model.train(false);
    for (Model result : new Model[] {quantized, noisy}) {
      double distance = distance(model, result);
      assertTrue(distance > 1e-4 && distance < 0.2, "distance from the exact model: " + distance);
      assertEquals(0, distance(result, result));
    }
    assertTrue(noisy.modules().get("blocks.0.ffn.up") instanceof NoisyLinear);
    assertTrue(quantized.modules().get("blocks.1.mixer.qkv") instanceof PtqLinear);
    assertTrue(noisy.modules().get("head") instanceof Linear, "the output layer stays exact");
  }

  private static CalibrationData data(int rows) {
    long[] ids = new SplittableRandom(5).longs(rows * 6L, 0, VOCAB).toArray();
    return model -> ((CausalLm) model).logits(Tensor.of(ids, rows, 6));
  }

  /** On the data it was calibrated on, no layer's output is farther from the exact one's. */
  @Test
  void noLayerIsWorseOnItsCalibrationData() {
    CausalLm model = model();
    CalibrationData data = data(8);
    Model plain = SIX.apply(model, data);
    Model noisy = new NoisyQuant(SIX).apply(model, data);
    int noises = 0;
    for (String name : ModelRebuilder.all(noisy, NoisyLinear.class).keySet()) {
      NoisyLinear with = (NoisyLinear) noisy.modules().get(name);
      PtqLinear without = (PtqLinear) plain.modules().get(name);
      Linear exact = (Linear) model.modules().get(name);
      double largest = with.noise().abs().max().item();
      noises += largest > 0 ? 1 : 0;
      assertTrue(largest <= 2 * with.quantized().step() * 1.0001, name);
      assertTrue(with.quantized().weight().sameAs(without.weight()), "weights stay as they are");
      assertEquals(without.step(), with.quantized().step(), "and so does the grid");
      try (LayerInputs inputs =
          LayerInputs.collect("ptq", model, java.util.Set.of(name), data, 2048)) {
        Tensor x = inputs.of(name).rows();
        Tensor target = exact.forward(x).detach();
        double a = with.forward(x).sub(target).square().mean().item();
        double b = without.forward(x).sub(target).square().mean().item();
        assertTrue(a <= b * 1.001, name + ": " + a + " against " + b);
      }
    }
    assertTrue(noises > 0, "some layers take noise");
  }

  @Test
  void aSeedGivesOneNoise() {
    CausalLm model = model();
    Model first = new NoisyQuant(SIX, 10, 1).apply(model, data(8));
    assertEquals(0, distance(first, new NoisyQuant(SIX, 10, 1).apply(model, data(8))));
    assertNotEquals(0, distance(first, new NoisyQuant(SIX, 10, 2).apply(model, data(8))));
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void savesAndLoadsToTheBit(boolean noise) throws IOException {
    CausalLm model = model();
    Ptq ptq = new Ptq(8, 6, true, new RangeRule.Search(RangeRule.Target.OUTPUT, 10));
    Model result = (noise ? new NoisyQuant(ptq) : ptq).apply(model, data(8));
    Models.save(model, folder.resolve("exact"));
    Models.save(result, folder.resolve("small"));
    Model loaded = Models.load(folder.resolve("small"));
    assertEquals(result.config(), loaded.config());
    result
        .parameters()
        .forEach(
            (name, p) -> assertTrue(p.value().sameAs(loaded.parameters().get(name).value()), name));
    assertEquals(0, distance(result, loaded));
    long exact = Files.size(folder.resolve("exact/model.safetensors"));
    long small = Files.size(folder.resolve("small/model.safetensors"));
    assertTrue(small < 0.6 * exact, small + " bytes of " + exact);
  }

  @Test
  void areFoundByName() {
    Compression read =
        Configs.parse(
            """
            {"type": "noisyquant", "quantizer": {"type": "ptq", "activationBits": 6,
             "range": {"type": "percentile", "share": 0.99}}}""",
            Compression.class);
    assertEquals(new NoisyQuant(new Ptq(8, 6, false, new RangeRule.Percentile(0.99))), read);
    assertEquals(Compression.Needs.CALIBRATION, read.needs());
  }

  // ---- Errors

  private static String refused(Compression surgery, Model model, CalibrationData data) {
    return assertThrows(IllegalArgumentException.class, () -> surgery.apply(model, data))
        .getMessage();
  }

  @Test
  void refusesEmptyAndBrokenCalibration() {
    CausalLm model = model();
    for (Compression surgery : new Compression[] {SIX, new NoisyQuant(SIX)}) {
      assertTrue(refused(surgery, model, m -> {}).contains("the calibration data is empty"));
      assertTrue(refused(surgery, model, null).contains("needs calibration data"));
    }
    Map<String, dev.jformer.nn.Module> before = new LinkedHashMap<>(model.modules());
    model
        .parameters()
        .get("blocks.1.ffn.up.weight")
        .copyFrom(Tensor.full(Double.NaN, DType.FLOAT32, 128, 32));
    String message = refused(SIX, model, data());
    assertTrue(message.contains("blocks.1.ffn.up"), message);
    assertEquals(before, model.modules());
  }

  @Test
  void refusesModelsThatAreNotPlain() {
    CausalLm model = model();
    Model once = SIX.apply(model, data(8));
    Model noisy = new NoisyQuant(SIX).apply(model, data(8));
    assertTrue(refused(SIX, once, data(8)).contains("already compressed by ptq"));
    assertTrue(
        refused(new NoisyQuant(SIX), noisy, data(8)).contains("already compressed by noisyquant"));
    assertTrue(
        refused(new NoisyQuant(SIX), once, data(8)).contains("start from the original model"));
    CausalLm spectral = config(new SigmaReparamLinear.Config()).build();
    assertTrue(refused(SIX, spectral, data(8)).contains("fold it first"));
    Model.Config linear = Configs.parse("{\"model\": \"linear-forecaster\"}", Model.Config.class);
    assertTrue(refused(SIX, linear.build(), data(8)).contains("has none"));
  }

  @Test
  void refusesWhatCannotBeWrapped() {
    assertThrows(IllegalArgumentException.class, () -> new NoisyQuant(new NoisyQuant()));
    assertThrows(IllegalArgumentException.class, () -> new NoisyQuant(null));
    assertThrows(IllegalArgumentException.class, () -> new NoisyQuant(SIX, 0, 1));
    assertThrows(
        IllegalArgumentException.class, () -> new Ptq(16, 8, true, new RangeRule.MinMax()));
  }

  /** The sample is the same however the data is cut into batches. */
  @Test
  void samplesEvenlyWhateverTheBatches() {
    CausalLm model = model();
    long[] ids = new SplittableRandom(7).longs(40 * 6L, 0, VOCAB).toArray();
    Tensor all = Tensor.of(ids, 40, 6);
    String name = "blocks.0.ffn.down";
    try (LayerInputs whole =
            LayerInputs.collect(
                "ptq", model, java.util.Set.of(name), m -> ((CausalLm) m).logits(all), 50);
        LayerInputs parts =
            LayerInputs.collect(
                "ptq",
                model,
                java.util.Set.of(name),
                m -> {
                  for (int i = 0; i < 8; i++) {
                    ((CausalLm) m).logits(all.narrow(0, 5L * i, 5));
                  }
                },
                50)) {
      CalibrationSample a = whole.of(name);
      CalibrationSample b = parts.of(name);
      assertTrue(a.rows().size(0) > 25 && a.rows().size(0) <= 50, "" + a.rows().size(0));
      assertEquals(a.rows().shape(), b.rows().shape());
      assertTrue(a.rows().sub(b.rows()).abs().max().item() < 1e-4);
      assertEquals(a.high(), b.high(), 1e-4);
    }
  }
}
