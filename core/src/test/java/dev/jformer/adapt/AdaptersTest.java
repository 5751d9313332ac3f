package dev.jformer.adapt;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.quantize.WeightInt4;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.quantized.QuantizedWeight;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class AdaptersTest {
  private static final int WIDTH = 32;

  static CausalLm model() {
    Random.seed(1);
    return new CausalLm.Config()
        .with(c -> c.vocab(50).length(64))
        .withStack(s -> s.layers(2).width(WIDTH))
        .withBlock(
            b ->
                b.mixer(new SoftmaxAttention.Config(4, 2))
                    .ffn(new GatedMlp.Config(Activation.SILU, 1, 48)))
        .build();
  }

  private static Tensor ids() {
    return Tensor.randint(0, 50, 2, 9);
  }

  private static AdapterSettings settings(int rank, String... targets) {
    return new AdapterSettings(rank, 0, 0, List.of(targets));
  }

  static Stream<Adapter> adapters() {
    return Stream.of(
        new Lora(settings(4)),
        new RsLora(settings(4)),
        new Dora(settings(4)),
        new Pissa(settings(4)),
        new Eva(settings(4)));
  }

  private static AdaptationData data(CausalLm model) {
    return new AdaptationData() {
      @Override
      public void run(long index) {
        try (Mode mode = Autograd.noGrad()) {
          model.logits(Tensor.randint(0, 50, 4, 20));
        }
      }

      @Override
      public Model model() {
        return model;
      }
    };
  }

  private static void attach(CausalLm model, Adapter adapter, String name) {
    Adapters.attach(model, adapter, name, adapter.needsData() ? data(model) : null);
  }

  /** Moves the trained factors away from their start. */
  private static void disturb(CausalLm model) {
    model
        .trained()
        .forEach(
            p ->
                p.copyFrom(
                    p.value().detach().add(Tensor.randn(p.value().shape().toArray()).mul(0.1))));
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void beginsWithTheFunctionOfTheModelAndTrainsOnlyItself(Adapter adapter) {
    CausalLm model = model();
    Tensor ids = ids();
    Tensor before = model.logits(ids).detach();
    Map<String, Tensor> weights = new LinkedHashMap<>();
    model.parameters().forEach((name, p) -> weights.put(name, p.value().detach().copy()));
    attach(model, adapter, "first");
    assertClose(before, model.logits(ids), 2e-5);
    Set<String> trained =
        model.parameters().entrySet().stream()
            .filter(e -> e.getValue().value().requiresGrad())
            .map(Map.Entry::getKey)
            .collect(Collectors.toSet());
    assertTrue(trained.stream().allMatch(name -> name.contains(".adapters.first.")), "" + trained);
    assertFalse(trained.isEmpty());
    model.trained().forEach(p -> assertTrue(p.value().isContiguous(), "as optimizers need it"));
    model.train(true);
    model.loss(ids, ids).backward();
    model
        .parameters()
        .forEach(
            (name, p) -> {
              if (trained.contains(name)) {
                assertNotNull(p.value().grad(), name);
              } else {
                assertNull(p.value().grad(), name);
              }
            });
    Adapters.detach(model);
    assertEquals(weights.keySet(), model.parameters().keySet());
    model.parameters().forEach((name, p) -> assertClose(weights.get(name), p.value(), 1e-6));
    assertEquals(weights.size(), model.trained().size(), "all can be trained again");
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void mergesToAPlainModelOfTheSameFunction(Adapter adapter) {
    CausalLm model = model();
    Set<String> names = model.parameters().keySet();
    attach(model, adapter, "only");
    disturb(model);
    Tensor ids = ids();
    Tensor adapted = model.logits(ids).detach();
    Adapters.merge(model, "only");
    assertClose(adapted, model.logits(ids), 2e-4);
    assertEquals(names, model.parameters().keySet());
    assertEquals(Map.of(), Adapters.layers(model));
  }

  /** The definition by autograd on the sum of the weights, for all parts of a joined layer. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 64, 65, 127, 128, 129, 200})
  void hasTheGradientsOfTheUpdatedWeight(int rows) {
    Random.seed(rows);
    Linear linear = new Linear(Tensor.randn(23, 17), Tensor.randn(23));
    List<LayerUpdate.Part> parts =
        List.of(
            new LayerUpdate.Part(0, 0, factors(8, 17, 3, 0.7)),
            new LayerUpdate.Part(2, 13, factors(10, 17, 2, 1.3)));
    for (DType type : List.of(DType.FLOAT32, DType.FLOAT64)) {
      Linear frozen = new Linear(linear.weight().value().to(type), linear.bias().value().to(type));
      frozen.parameters().values().forEach(p -> p.fix(true));
      AdaptedLinear layer = new AdaptedLinear(frozen);
      layer.add("a", new LayerUpdate(cast(parts, type), 0, false));
      layer.use("a");
      layer.train(true);
      Tensor x = Tensor.randn(1, rows, 17).to(type).requiresGrad(true);
      Tensor weight = Tensor.randn(1, rows, 23).to(type);
      Tensor own = layer.forward(x);
      own.mul(weight).sum().backward();

      Tensor x2 = x.detach().copy().requiresGrad(true);
      List<Tensor> factors = new ArrayList<>();
      Tensor sum = frozen.weight().value().detach();
      for (LowRankUpdate update : layer.updates("a")) {
        Tensor a = update.a().value().detach().copy().requiresGrad(true);
        Tensor b = update.b().value().detach().copy().requiresGrad(true);
        factors.add(a);
        factors.add(b);
        Tensor product = b.matmul(a).mul(update.scale());
        Tensor above = Tensor.zeros(type, update.start(), 17);
        Tensor below = Tensor.zeros(type, 23 - update.start() - update.rows(), 17);
        sum = sum.add(Tensor.cat(0, above, product, below));
      }
      Tensor expected = Functional.linear(x2, sum, frozen.bias().value().detach());
      expected.mul(weight).sum().backward();
      double tolerance = type == DType.FLOAT64 ? 1e-10 : 2e-3;
      assertClose(expected, own, tolerance);
      assertClose(x2.grad(), x.grad(), tolerance);
      int i = 0;
      for (LowRankUpdate update : layer.updates("a")) {
        assertClose(factors.get(i++).grad(), update.a().value().grad(), tolerance);
        assertClose(factors.get(i++).grad(), update.b().value().grad(), tolerance);
      }
    }
  }

  private static LowRankFactors factors(long out, long in, int rank, double scale) {
    return new LowRankFactors(Tensor.randn(rank, in), Tensor.randn(out, rank), scale);
  }

  private static List<LayerUpdate.Part> cast(List<LayerUpdate.Part> parts, DType type) {
    return parts.stream()
        .map(
            p ->
                new LayerUpdate.Part(
                    p.number(),
                    p.start(),
                    new LowRankFactors(
                        p.values().a().to(type), p.values().b().to(type), p.values().scale())))
        .toList();
  }

  /** DoRA's definition: rows of the updated weight, divided by their norms, times m. */
  @Test
  void doraGivesTheUpdatedRowsTrainedNorms() {
    Random.seed(3);
    CausalLm model = model();
    Linear qkv = (Linear) model.modules().get("blocks.0.mixer.qkv");
    Tensor weight = qkv.weight().value().detach().copy().to(DType.FLOAT64);
    attach(model, new Dora(settings(4, "mixer.qkv.1")), "d");
    disturb(model);
    AdaptedLayer layer = Adapters.layers(model).get("blocks.0.mixer.qkv");
    LowRankUpdate update = layer.updates("d").get(0);
    assertEquals(WIDTH, update.start());
    double[] w = weight.toDoubles();
    double[] a = update.a().value().toDoubles();
    double[] b = update.b().value().toDoubles();
    double[] m = update.magnitude().value().toDoubles();
    for (int row = 0; row < update.rows(); row++) {
      int at = (int) (row + update.start()) * WIDTH;
      double squares = 0;
      for (int k = 0; k < WIDTH; k++) {
        for (int r = 0; r < 4; r++) {
          w[at + k] += 2 * b[row * 4 + r] * a[r * WIDTH + k];
        }
        squares += w[at + k] * w[at + k];
      }
      for (int k = 0; k < WIDTH; k++) {
        w[at + k] *= m[row] / Math.sqrt(squares);
      }
    }
    Tensor x = Tensor.randn(5, WIDTH);
    Tensor bias = FrozenWeight.of(layer.frozen()).bias();
    Tensor expected =
        Functional.linear(
            x.to(DType.FLOAT64),
            Tensor.of(w, weight.size(0), WIDTH),
            bias == null ? null : bias.to(DType.FLOAT64));
    assertClose(expected, layer.forward(x).to(DType.FLOAT64), 1e-4);
  }

  @Test
  void severalAdaptersStandSideBySide() {
    CausalLm model = model();
    Tensor ids = ids();
    Tensor bare = model.logits(ids).detach();
    attach(model, new Lora(settings(4)), "one");
    disturb(model);
    Tensor one = model.logits(ids).detach();
    attach(model, new Dora(settings(2, "ffn.down")), "two");
    disturb(model);
    assertEquals(Set.of("one", "two"), Adapters.names(model));
    Adapters.use(model, "one");
    assertSame(one, model.logits(ids).detach(), "the first one is as it was");
    Adapters.use(model, null);
    assertSame(bare, model.logits(ids).detach(), "without an adapter");
    Adapters.use(model, "two");
    Tensor two = model.logits(ids).detach();
    assertFalse(two.sameAs(bare));
    assertFalse(one.sameAs(two));
    assertFalse(one.sameAs(bare));
    String message =
        assertThrows(IllegalArgumentException.class, () -> Adapters.use(model, "tow")).getMessage();
    assertTrue(message.contains("did you mean 'two'"), message);
  }

  @Test
  void decodingGivesTheLogitsOfTheWholeSequence() {
    CausalLm model = model();
    model.train(false);
    attach(model, new Lora(settings(4)), "a");
    disturb(model);
    try (Mode mode = Autograd.noGrad();
        CausalLm.Decoding decoding = model.decode(2, 20)) {
      Tensor ids = ids();
      Tensor whole = model.logits(ids);
      decoding.next(ids.narrow(1, 0, 5));
      for (int t = 5; t < 9; t++) {
        assertClose(whole.select(1, t), decoding.next(ids.narrow(1, t, 1)), 1e-4);
      }
    }
  }

  @Test
  void trainsBesideWeightsOfFewBits() {
    CausalLm model = model();
    Tensor ids = ids();
    for (Model few :
        List.of(new WeightInt8().apply(model, null), new WeightInt4(32).apply(model, null))) {
      CausalLm quantized = (CausalLm) few;
      attach(quantized, new Lora(settings(4)), "q");
      disturb(quantized);
      quantized.train(true);
      Tensor loss = quantized.loss(ids, ids);
      loss.backward();

      CausalLm floats = model();
      quantized
          .modules()
          .forEach(
              (name, module) -> {
                var layer = module instanceof AdaptedLayer adapted ? adapted.frozen() : module;
                if (layer instanceof QuantizedWeight stored) {
                  Parameter target = floats.parameters().get(name + ".weight");
                  if (target != null) {
                    target.copyFrom(stored.dequantized());
                  }
                }
              });
      attach(floats, new Lora(settings(4)), "q");
      Map<String, Parameter> same = floats.parameters();
      quantized
          .parameters()
          .forEach(
              (name, p) -> {
                if (name.contains(".adapters.")) {
                  same.get(name).copyFrom(p.value().detach());
                }
              });
      floats.train(true);
      floats.loss(ids, ids).backward();
      assertEquals(0, quantized.trained().stream().filter(p -> p.value().grad() == null).count());
      quantized
          .parameters()
          .forEach(
              (name, p) -> {
                if (p.value().requiresGrad()) {
                  assertClose(same.get(name).value().grad(), p.value().grad(), 2e-3);
                }
              });
      String message =
          assertThrows(IllegalArgumentException.class, () -> Adapters.merge(quantized, "q"))
              .getMessage();
      assertTrue(message.contains("few bits"), message);
    }
  }

  @Test
  void errorsSayWhatIsWrong() {
    CausalLm model = model();
    for (var wrong :
        Map.of(
                settings(4, "mixer.qvk"), "did you mean 'mixer.qkv'",
                settings(4, "q_proj"), "the model has",
                settings(17), "has rank 16 at most")
            .entrySet()) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> attach(model, new Lora(wrong.getKey()), "x"))
              .getMessage();
      assertTrue(message.contains(wrong.getValue()), message);
    }
    assertEquals(Set.of(), Adapters.names(model));
    attach(model, new Lora(settings(2)), "x");
    for (var wrong : Map.of("x", "already", "a b", "letters", "y", "'pissa'").entrySet()) {
      Adapter adapter = wrong.getKey().equals("y") ? new Pissa(settings(2)) : new Lora(settings(2));
      String message =
          assertThrows(IllegalArgumentException.class, () -> attach(model, adapter, wrong.getKey()))
              .getMessage();
      assertTrue(message.contains(wrong.getValue()), message);
    }
    var data =
        assertThrows(
            IllegalArgumentException.class,
            () -> Adapters.attach(model(), new Eva(settings(2)), "e", null));
    assertTrue(data.getMessage().contains("needs data"), data.getMessage());
  }

  @Test
  void patternsSelectLayersAndTheirParts() {
    CausalLm model = model();
    assertEquals(2 * (3 + 1 + 2 + 1), Adapters.targets(model, List.of()).size());
    assertEquals(
        List.of("blocks.0.mixer.qkv.0", "blocks.0.mixer.qkv.2", "blocks.1.ffn.down"),
        Adapters.targets(model, List.of("blocks.0.mixer.qkv.0", "blocks.0.*.2", "blocks.1.ffn.d*"))
            .stream()
            .map(AdapterTarget::name)
            .toList());
    AdapterTarget keys = Adapters.targets(model, List.of("blocks.1.mixer.qkv.1")).get(0);
    assertEquals(WIDTH, keys.start());
    assertEquals(WIDTH / 2, keys.rows());
  }
}
