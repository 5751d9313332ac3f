package dev.jformer.adapt;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.hub.BaseModel;
import dev.jformer.hub.Models;
import dev.jformer.hub.PeftFolder;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Scoped.class)
class AffinerTest {
  private static final double SCALE = 0.7;

  /** Parts of a layer of 9 outputs: three of them first, four behind a gap. */
  private static AdaptedLinear layer(int rank, boolean biased, boolean gained) {
    Linear frozen = new Linear(5, 9, biased, dev.jformer.nn.Initializer.normal(1));
    frozen.parameters().values().forEach(p -> p.fix(true));
    AdaptedLinear layer = new AdaptedLinear(frozen);
    List<LayerUpdate.Part> parts =
        List.of(
            new LayerUpdate.Part(0, 0, factors(3, rank, gained)),
            new LayerUpdate.Part(2, 5, factors(4, rank, gained)));
    layer.add("x", new LayerUpdate(parts, 0, false));
    layer.use("x");
    return layer;
  }

  private static LowRankFactors factors(int out, int rank, boolean gained) {
    return new LowRankFactors(Tensor.randn(rank, 5), Tensor.randn(out, rank), SCALE)
        .with(AffineChange.none(out, gained));
  }

  /** {@code (1 + a) (W x) + b̂ + b + s B ReLU(A x)}, in plain loops; and its gradients. */
  @ParameterizedTest
  @CsvSource({
    "1, 2, true, true",
    "7, 1, true, true",
    "7, 2, false, true",
    "5, 0, true, false",
    "5, 0, false, false",
    "3, 3, true, false"
  })
  void isItsDefinition(int length, int rank, boolean biased, boolean gained) {
    AdaptedLinear layer = layer(rank, biased, gained);
    ModuleChecks.matches(
        layer,
        layer::forward,
        (x, w) -> {
          double[][] y = plain(x, w);
          double[] bias = w.vector("bias");
          for (int part = 0; part < 3; part += 2) {
            String name = "adapters.x." + part + ".";
            int start = part == 0 ? 0 : 5;
            double[] gain = w.vector(name + "gain");
            double[] shift = w.vector(name + "shift");
            for (int t = 0; t < y.length; t++) {
              for (int o = 0; o < shift.length; o++) {
                double product = y[t][start + o] - (bias == null ? 0 : bias[start + o]);
                double sum = y[t][start + o] + shift[o];
                sum += gain == null ? 0 : gain[o] * product;
                for (int r = 0; r < rank; r++) {
                  double low = 0;
                  for (int i = 0; i < 5; i++) {
                    low += w.matrix(name + "a")[r][i] * x[t][i];
                  }
                  sum += SCALE * w.matrix(name + "b")[o][r] * Math.max(0, low);
                }
                y[t][start + o] = sum;
              }
            }
          }
          return y;
        },
        Tensor.randn(2, length, 5).to(DType.FLOAT64));
  }

  private static double[][] plain(double[][] x, Weights w) {
    return Loops.linear(x, w.matrix("weight"), w.vector("bias"));
  }

  static Stream<Adapter> adapters() {
    return Stream.of(new Affiner(new AdapterSettings(3)), new BitFit());
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void beginsWithTheModelAndTrainsOnlyItself(Adapter adapter) {
    CausalLm model = AdaptersTest.model();
    Tensor ids = Tensor.randint(0, 50, 2, 9);
    Tensor before = model.logits(ids).detach();
    Adapters.attach(model, adapter, "a", null);
    assertClose(before, model.logits(ids), 2e-5);
    model.loss(ids, ids).backward();
    model
        .parameters()
        .forEach(
            (name, p) -> {
              if (name.contains(".adapters.a.") && p.value().elements() > 0) {
                assertNotNull(p.value().grad(), name);
              } else {
                assertNull(p.value().grad(), name);
              }
            });
    disturb(model);
    assertFalse(before.sameAs(model.logits(ids)));
    assertFalse(Adapters.isMergeable(model));
    String message =
        assertThrows(IllegalArgumentException.class, () -> Adapters.merge(model, "a")).getMessage();
    assertTrue(message.contains("use it beside the model"), message);
    Adapters.detach(model);
    assertSame(before, model.logits(ids).detach(), "without it");
  }

  private static void disturb(Model model) {
    for (Parameter p : model.trained()) {
      p.copyFrom(p.value().detach().add(Tensor.randn(p.value().shape().toArray()).mul(0.1)));
    }
  }

  /** BitFit trains a number for each output of the blocks' linear layers. */
  @Test
  void bitFitTrainsOneNumberForEachOutput() {
    CausalLm model = AdaptersTest.model();
    long outputs = Adapters.targets(model, List.of()).stream().mapToLong(AdapterTarget::rows).sum();
    Adapters.attach(model, new BitFit(), "a", null);
    assertEquals(outputs, model.trained().stream().mapToLong(p -> p.value().elements()).sum());
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void isSavedAndStandsBesideTheModelAgain(Adapter adapter, @TempDir Path folder)
      throws IOException {
    Path base = Files.createDirectories(folder.resolve("base"));
    Path adapted = Files.createDirectories(folder.resolve("adapted"));
    CausalLm model = AdaptersTest.model();
    Models.save(model, base);
    Adapters.attach(model, adapter, Adapters.DEFAULT, null);
    disturb(model);
    PeftFolder.save(model, Adapters.DEFAULT, adapter, BaseModel.of(base, model.config()), adapted);
    Tensor ids = Tensor.randint(0, 50, 2, 9);
    try (Mode mode = Autograd.noGrad();
        CausalLm loaded = (CausalLm) Models.load(adapted)) {
      model.train(false);
      assertEquals(java.util.Set.of(Adapters.DEFAULT), Adapters.names(loaded));
      assertClose(model.logits(ids), loaded.logits(ids), 1e-5);
    }
    assertTrue(Files.readString(adapted.resolve("adapter_config.json")).contains("AFFINER"));
  }

  @Test
  void refusesShapesThatDoNotFit() {
    AffineChange change = AffineChange.none(3, true);
    LowRankFactors four = new LowRankFactors(Tensor.randn(2, 5), Tensor.randn(4, 2), 1);
    assertThrows(IllegalArgumentException.class, () -> four.with(change));
    assertThrows(
        IllegalArgumentException.class, () -> new AffineChange(Tensor.zeros(2), Tensor.zeros(3)));
  }
}
