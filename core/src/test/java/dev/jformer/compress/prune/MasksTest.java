package dev.jformer.compress.prune;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.quantize.LlmInt8;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.config.Configs;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.sparse.SparseLinear;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.train.AdamW;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Scoped.class)
class MasksTest {
  private static final Tensor IDS =
      Tensor.of(new long[] {3, 1, 4, 1, 5, 9, 2, 6, 5, 3}, 2, 5).keep();
  private static final Tensor NEXT =
      Tensor.of(new long[] {1, 4, 1, 5, 9, 6, 5, 3, 5, 8}, 2, 5).keep();

  @TempDir private Path folder;

  private static Model model(String json) {
    Model model = Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
    model.train(false);
    return model;
  }

  private static CausalLm language() {
    return (CausalLm)
        model(
            "{'model':'causal-lm','layers':2,'width':32,'vocab':300,'length':8,"
                + "'mixer':{'heads':2}}");
  }

  private static final CalibrationData DATA =
      new CalibrationData() {
        @Override
        public void run(Model model) {
          ((CausalLm) model).logits(IDS);
        }

        @Override
        public Tensor loss(Model model) {
          return ((CausalLm) model).loss(IDS, NEXT);
        }
      };

  static Stream<Compression> methods() {
    return Stream.of(
        new Magnitude(),
        new Magnitude(0.9, Masks.Reach.LAYER),
        new NmPruning(),
        new NmPruning(1, 2),
        new NmPruning(4, 8),
        new RandomPruning(),
        new RandomPruning(0.7, RandomPruning.Ratios.UNIFORM_PLUS, 2),
        new RandomPruning(0.7, RandomPruning.Ratios.SNIP, 2),
        new RandomPruning(0.7, RandomPruning.Ratios.GRASP, 2));
  }

  private static List<String> names(Model model) {
    return Masks.weights(model).keySet().stream().toList();
  }

  @ParameterizedTest
  @MethodSource("methods")
  void theSourceIsUntouchedAndWhatIsKeptIsItsOwn(Compression method) {
    CausalLm model = language();
    Map<String, Tensor> before = new LinkedHashMap<>();
    model.parameters().forEach((name, p) -> before.put(name, p.value().detach().copy()));
    Tensor random = Random.state();
    CausalLm made = (CausalLm) method.apply(model, DATA);
    assertSame(random, Random.state(), "random state");
    before.forEach((name, p) -> assertSame(p, model.parameters().get(name).value(), name));
    assertEquals("sparse", made.config().projection().type());
    assertFalse(made.isTraining());
    Masks masks = Masks.of(made);
    assertEquals(8, masks.kept().size());
    Map<String, Tensor> weights = Masks.weights(made);
    masks
        .kept()
        .forEach(
            (name, mask) ->
                assertSame(
                    before.get(name + ".weight").mul(mask.to(DType.FLOAT32)),
                    weights.get(name),
                    name));
    made.parameters().values().forEach(p -> assertTrue(p.isRagged() || p.value() != null));
    // The same as a plain model with zeros in these places.
    masks
        .kept()
        .forEach(
            (name, mask) ->
                model
                    .parameters()
                    .get(name + ".weight")
                    .copyFrom(before.get(name + ".weight").mul(mask.to(DType.FLOAT32))));
    assertClose(model.logits(IDS), made.logits(IDS), 1e-5);
  }

  @ParameterizedTest
  @MethodSource("methods")
  void survivesSavingToTheBit(Compression method) throws IOException {
    CausalLm made = (CausalLm) method.apply(language(), DATA);
    Models.save(made, folder);
    CausalLm loaded = (CausalLm) Models.load(folder);
    assertEquals(made.config(), loaded.config());
    made.parameters()
        .forEach((name, p) -> assertSame(p.value(), loaded.parameters().get(name).value(), name));
    assertSame(made.logits(IDS), loaded.logits(IDS), "logits");
  }

  @Test
  void magnitudeLeavesOutTheSmallest() {
    CausalLm model = language();
    List<Double> all = new ArrayList<>();
    for (String name : names(model)) {
      for (double w : model.parameters().get(name + ".weight").value().toDoubles()) {
        all.add(Math.abs(w));
      }
    }
    all.sort(null);
    double bound = all.get((int) (0.8 * all.size()));
    Masks global = Masks.of(new Magnitude(0.8, Masks.Reach.GLOBAL).apply(model, null));
    Masks local = Masks.of(new Magnitude(0.8, Masks.Reach.LAYER).apply(model, null));
    assertEquals(0.2, global.density(), 1e-4);
    assertTrue(new TreeSet<>(global.densities().values()).size() > 1);
    for (String name : names(model)) {
      double[] weights = model.parameters().get(name + ".weight").value().toDoubles();
      double[] kept = global.kept().get(name).to(DType.FLOAT32).toDoubles();
      // Queries, keys and values are layers each.
      int part = weights.length / (name.endsWith("qkv") ? 3 : 1);
      double[] keptHere = local.kept().get(name).to(DType.FLOAT32).toDoubles();
      double own = 0;
      for (int i = 0; i < weights.length; i++) {
        if (Math.abs(Math.abs(weights[i]) - bound) > 1e-6) {
          assertEquals(Math.abs(weights[i]) > bound ? 1 : 0, kept[i], name + " " + i);
        }
        int from = i / part * part;
        if (i == from) {
          double[] sorted =
              Arrays.stream(weights, from, from + part).map(Math::abs).sorted().toArray();
          own = sorted[(int) (0.8 * part)];
        }
        if (Math.abs(Math.abs(weights[i]) - own) > 1e-6) {
          assertEquals(Math.abs(weights[i]) > own ? 1 : 0, keptHere[i], name + " " + i);
        }
      }
    }
  }

  @Test
  void ofNeighboursTheLargestStay() {
    CausalLm model = language();
    Masks masks = Masks.of(new NmPruning(2, 4).apply(model, null));
    for (String name : names(model)) {
      double[] weights = model.parameters().get(name + ".weight").value().toDoubles();
      double[] kept = masks.kept().get(name).to(DType.FLOAT32).toDoubles();
      for (int group = 0; group < weights.length / 4; group++) {
        double smallestKept = Double.MAX_VALUE;
        double largestLeft = 0;
        int count = 0;
        for (int i = 4 * group; i < 4 * group + 4; i++) {
          double size = Math.abs(weights[i]);
          if (kept[i] == 1) {
            count++;
            smallestKept = Math.min(smallestKept, size);
          } else {
            largestLeft = Math.max(largestLeft, size);
          }
        }
        assertEquals(2, count);
        assertTrue(smallestKept >= largestLeft);
      }
    }
  }

  @Test
  void randomMasksFollowTheirSeedAndRatios() {
    CausalLm model = language();
    Masks one = Masks.of(new RandomPruning(0.7, RandomPruning.Ratios.ER, 1).apply(model, null));
    Masks again = Masks.of(new RandomPruning(0.7, RandomPruning.Ratios.ER, 1).apply(model, null));
    Masks other = Masks.of(new RandomPruning(0.7, RandomPruning.Ratios.ER, 2).apply(model, null));
    one.kept().forEach((name, mask) -> assertSame(mask, again.kept().get(name), name));
    String first = names(model).get(0);
    assertFalse(one.kept().get(first).sameAs(other.kept().get(first)));
    assertEquals(0.3, one.density(), 1e-3);
    // All layers but the smallest are as large; that one keeps more.
    assertTrue(one.densities().get("blocks.0.mixer.out") > one.densities().get("blocks.0.ffn.up"));
  }

  /** Queries, keys and values are layers of their own to rules that go by layers. */
  @Test
  void joinedMatricesAreLayersEach() {
    for (String json :
        List.of(
            "{'model':'causal-lm','layers':2,'width':32,'vocab':300,'length':8,"
                + "'mixer':{'heads':4,'keyValueHeads':2},'ffn':{'type':'gated-mlp','hidden':64}}",
            "{'model':'causal-lm','layers':2,'width':32,'vocab':300,'length':8,"
                + "'mixer':{'type':'reformer','heads':4}}")) {
      Model model = model(json);
      boolean gated = json.contains("gated");
      long[] rows = gated ? new long[] {32, 16, 16} : new long[] {32, 32};
      Masks layers = Masks.of(new Magnitude(0.75, Masks.Reach.LAYER).apply(model, null));
      Tensor mask = layers.kept().get("blocks.0.mixer.qkv");
      Tensor sizes = Masks.weights(model).get("blocks.0.mixer.qkv").abs();
      long from = 0;
      for (long count : rows) {
        Tensor kept = mask.narrow(0, from, count);
        assertEquals(0.25, kept.to(DType.FLOAT64).mean().item(), 1e-9);
        double least = sizes.narrow(0, from, count).maskedFill(kept.not(), 9).min().item();
        double most = sizes.narrow(0, from, count).maskedFill(kept, 0).max().item();
        assertTrue(least >= most, least + " < " + most);
        from += count;
      }
      // By Erdős-Rényi each matrix keeps in proportion to (in + out) / (in out).
      Masks drawn =
          Masks.of(new RandomPruning(0.9, RandomPruning.Ratios.ERK, 3).apply(model, null));
      Tensor random = drawn.kept().get("blocks.0.mixer.qkv").to(DType.FLOAT64);
      double first = random.narrow(0, 0, rows[0]).mean().item();
      double second = random.narrow(0, rows[0], rows[1]).mean().item();
      double expected = ((32.0 + rows[1]) / rows[1]) / ((32.0 + rows[0]) / rows[0]);
      assertEquals(expected, second / first, 0.05);
      assertEquals(0.1, drawn.density(), 1e-3);
    }
  }

  /** SNIP and GraSP against differences of the loss itself, in float64. */
  @ParameterizedTest
  @CsvSource({
    "SNIP, mlp, gelu, 1e-6",
    "SNIP, mlp, relu, 1e-6",
    "GRASP, mlp, gelu, 1e-6",
    "GRASP, mlp, relu, 1e-6",
    "GRASP, gated-mlp, silu, 1e-6",
    "GRASP, gr-kan, , 1e-6"
  })
  void saliencyIsWhatLeavingOutChanges(
      Saliency saliency, String ffn, String activation, double tolerance) {
    Random.seed(5);
    CausalLm model =
        (CausalLm)
            model(
                "{'model':'causal-lm','layers':1,'width':8,'vocab':12,'length':8,'dropout':0.5,"
                    + "'mixer':{'heads':2},'ffn':{'type':'"
                    + ffn
                    + (activation == null ? "'}}" : "','activation':'" + activation + "'}}"));
    for (Parameter parameter : model.parameters().values()) {
      parameter.replace(
          Tensor.empty(DType.FLOAT64, parameter.value().shape().toArray()).normal_(0, 0.5));
    }
    model.train(true);
    Map<String, Tensor> scores = saliency.scores(model, () -> exactLoss(model));
    assertTrue(model.isTraining());
    model.train(false); // what is scored does not depend on dropout
    Map<String, Tensor> weights = new LinkedHashMap<>();
    scores.keySet().forEach(n -> weights.put(n, model.parameters().get(n + ".weight").value()));
    String name = scores.keySet().stream().filter(n -> n.contains(".ffn.")).findFirst().get();
    Tensor w = weights.get(name).detach().reshape(-1);
    double[] found = scores.get(name).toDoubles();
    for (int i = 0; i < 12; i++) {
      double value = w.select(0, i).item();
      double step = 1e-5;
      w.select(0, i).fill_(value + step);
      double above = measure(saliency, model, weights);
      w.select(0, i).fill_(value - step);
      double below = measure(saliency, model, weights);
      w.select(0, i).fill_(value);
      double slope = value * (above - below) / (2 * step);
      double expected = saliency == Saliency.SNIP ? Math.abs(slope) : slope;
      assertEquals(expected, found[i], tolerance * Math.max(1, Math.abs(expected)), "" + i);
    }
  }

  /** In float32 too, where rational activations have a fast form without second derivative. */
  @Test
  void graspIsTheSameInBothTypes() {
    String json =
        "{'model':'causal-lm','layers':1,'width':8,'vocab':12,'length':8,'mixer':{'heads':2},"
            + "'ffn':{'type':'gr-kan'}}";
    CausalLm model = (CausalLm) model(json);
    CausalLm exact = (CausalLm) model(json);
    exact
        .parameters()
        .forEach((name, p) -> p.replace(model.parameters().get(name).value().to(DType.FLOAT64)));
    Map<String, Tensor> expected = Saliency.GRASP.scores(exact, () -> exactLoss(exact));
    Map<String, Tensor> found = Saliency.GRASP.scores(model, () -> exactLoss(model));
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach(
        (name, scores) ->
            assertClose(
                scores.div(scores.norm()),
                found.get(name).to(DType.FLOAT64).div(scores.norm()),
                1e-4));
  }

  /** A layer whose gradient is computed in Java. */
  private static final class Once extends Layer {
    @Override
    public Tensor forward(Tensor x) {
      return Autograd.withGradient(
          "once", x.detach().mul(2), (g, operands) -> List.of(g.mul(2)), x);
    }
  }

  @Test
  void graspNeedsSecondDerivatives() {
    CausalLm model = language();
    model.replace("blocks.1.ffn.units", new Once());
    assertFalse(Saliency.SNIP.scores(model, () -> exactLoss(model)).isEmpty());
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Saliency.GRASP.scores(model, () -> exactLoss(model)))
            .getMessage();
    assertTrue(message.contains("once has no second derivative"), message);
    assertTrue(message.contains("take the rule SNIP"), message);
  }

  /** GraSP's temperature changes what is kept; SNIP may score weights drawn anew. */
  @Test
  void rulesHaveTheAuthorsOptions() {
    CausalLm model = language();
    CalibrationData data =
        new CalibrationData() {
          @Override
          public void run(Model any) {}

          @Override
          public Tensor loss(Model any) {
            return loss(any, 1);
          }

          @Override
          public Tensor loss(Model any, double temperature) {
            Tensor logits = ((CausalLm) any).logits(IDS).flatten(0, 1).div(temperature);
            return Functional.crossEntropy(logits, NEXT.flatten(0, 1), -1, 0);
          }
        };
    Map<String, Tensor> before = new LinkedHashMap<>();
    model.parameters().forEach((name, p) -> before.put(name, p.value().detach().copy()));
    List<Map<String, Double>> found = new ArrayList<>();
    for (RandomPruning.Ratios rule :
        List.of(RandomPruning.Ratios.SNIP, RandomPruning.Ratios.GRASP)) {
      for (double temperature : new double[] {1, 200}) {
        for (boolean anew : new boolean[] {false, true}) {
          RandomPruning method = new RandomPruning(0.7, rule, 2, temperature, anew);
          found.add(Masks.of(method.apply(model, data)).densities());
        }
      }
    }
    assertTrue(found.stream().distinct().count() > 5, found::toString);
    assertFalse(found.get(4).equals(found.get(6)), "GraSP depends on the temperature");
    assertFalse(found.get(0).equals(found.get(1)), "SNIP of other weights");
    before.forEach((name, p) -> assertSame(p, model.parameters().get(name).value(), name));
    IllegalArgumentException error =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                new RandomPruning(0.7, RandomPruning.Ratios.GRASP, 2, 200, false)
                    .apply(model, DATA));
    assertTrue(error.getMessage().startsWith("temperature is 200"), error.getMessage());
  }

  private static Tensor exactLoss(CausalLm model) {
    return Functional.crossEntropy(model.logits(IDS).flatten(0, 1), NEXT.flatten(0, 1), -1, 0);
  }

  /** The loss; or half the squared norm of its gradient, whose derivative is H g. */
  private static double measure(Saliency saliency, CausalLm model, Map<String, Tensor> weights) {
    Tensor loss = exactLoss(model);
    if (saliency == Saliency.SNIP) {
      return loss.item();
    }
    double sum = 0;
    for (Tensor g : Autograd.grad(loss, null, false, weights.values().toArray(Tensor[]::new))) {
      double norm = g.norm().item();
      sum += norm * norm / 2;
    }
    return sum;
  }

  @Test
  void masksHoldThroughTraining() throws IOException {
    CausalLm made =
        (CausalLm) new RandomPruning(0.8, RandomPruning.Ratios.ERK, 1).apply(language(), null);
    Map<String, Tensor> before = new LinkedHashMap<>(Masks.of(made).kept());
    Tensor logits = made.logits(IDS).detach();
    made.train(true);
    double first = 0;
    double last = 0;
    try (AdamW optimizer = new AdamW(made, new AdamW.Config())) {
      for (int step = 0; step < 20; step++) {
        made.clearGrads();
        Tensor loss = made.loss(IDS, NEXT);
        loss.backward();
        optimizer.step(1e-2);
        first = step == 0 ? loss.item() : first;
        last = loss.item();
      }
    }
    assertTrue(last < 0.5 * first, first + " " + last);
    made.train(false);
    before.forEach((name, mask) -> assertSame(mask, Masks.of(made).kept().get(name), name));
    assertNotEquals(logits.sum().item(), made.logits(IDS).sum().item());
    Models.save(made, folder);
    assertSame(made.logits(IDS), ((CausalLm) Models.load(folder)).logits(IDS), "loaded");
  }

  @Test
  void aSparseModelCanBeBegunFromNothing() {
    Random.seed(3);
    CausalLm lm =
        (CausalLm)
            model(
                "{'model':'causal-lm','layers':1,'width':32,'vocab':30,'length':8,"
                    + "'mixer':{'heads':2},'projection':{'type':'sparse','density':0.25}}");
    assertEquals(0.25, Masks.of(lm).density(), 1e-9);
    Masks.of(lm).densities().values().forEach(d -> assertEquals(0.25, d, 1e-9));
    Tensor weight = Masks.weights(lm).get("blocks.0.ffn.up");
    double deviation = weight.norm().item() / Math.sqrt(0.25 * weight.elements());
    assertEquals(0.02, deviation, 0.002); // of the values that there are
  }

  @Test
  void takesFewerBytes() throws IOException {
    CausalLm model =
        (CausalLm)
            model(
                "{'model':'causal-lm','layers':3,'width':128,'vocab':64,'length':16,"
                    + "'mixer':{'heads':2}}");
    Models.save(model, folder.resolve("plain"));
    Model tenth = new Magnitude(0.9, Masks.Reach.GLOBAL).apply(model, null);
    Models.save(tenth, folder.resolve("tenth"));
    Models.save(new WeightInt8().apply(tenth, null), folder.resolve("tenth8"));
    Models.save(new NmPruning().apply(model, null), folder.resolve("n-m"));
    double plain = Files.size(folder.resolve("plain/model.safetensors"));
    assertTrue(Files.size(folder.resolve("tenth/model.safetensors")) < 0.18 * plain);
    assertTrue(Files.size(folder.resolve("tenth8/model.safetensors")) < 0.1 * plain);
    assertTrue(Files.size(folder.resolve("n-m/model.safetensors")) < 0.58 * plain);
  }

  @Test
  void otherFamiliesWorkTheSame() throws IOException {
    Encoder encoder =
        (Encoder)
            model(
                "{'model':'encoder','layers':2,'width':32,'vocab':40,'labels':3,'length':8,"
                    + "'mixer':{'heads':2}}");
    Encoder smaller = (Encoder) new Magnitude().apply(encoder, null);
    Models.save(smaller, folder);
    assertSame(
        smaller.logits(IDS, null), ((Encoder) Models.load(folder)).logits(IDS, null), "loaded");
    Model pictures =
        model(
            "{'model':'vit','layers':2,'width':32,'size':8,'stem':'convolutional',"
                + "'mixer':{'heads':2}}");
    ImageModel vit = (ImageModel) new NmPruning(4, 8).apply(pictures, null);
    assertEquals(0.5, Masks.of(vit).density(), 1e-9);
    vit.logits(Tensor.rand(2, 3, 8, 8));
  }

  @Test
  void decodesStepByStepAsWhole() {
    CausalLm made = (CausalLm) new Magnitude().apply(language(), null);
    var request = new Generator.Request(4, Sampling.GREEDY);
    List<Integer> ids =
        new Generator(made)
            .generate(List.of(new int[] {3, 1, 4}), request, x -> "", null)
            .get(0)
            .ids();
    long[] all = {3, 1, 4, ids.get(0), ids.get(1), ids.get(2)};
    Tensor best = made.logits(Tensor.of(all, 1, 6)).squeeze(0).narrow(0, 2, 4).argmax(1);
    assertEquals(
        ids.stream().map(Integer::longValue).toList(),
        Arrays.stream(best.toLongs()).boxed().toList());
  }

  @Test
  void stacksWithOtherMethodsOrSaysWhyNot() {
    CausalLm model = language();
    CausalLm sparse = (CausalLm) new Magnitude().apply(model, null);
    CausalLm dense = (CausalLm) new Dense().apply(sparse, null);
    assertEquals(new Linear.Config(), dense.config().projection());
    assertClose(sparse.logits(IDS), dense.logits(IDS), 1e-6);
    CausalLm int8 = (CausalLm) new WeightInt8().apply(sparse, null);
    double apart =
        int8.logits(IDS).sub(sparse.logits(IDS)).norm().item() / sparse.logits(IDS).norm().item();
    assertTrue(apart > 0 && apart < 0.03, "" + apart);
    Masks.of(sparse)
        .kept()
        .forEach((name, mask) -> assertSame(mask, Masks.of(int8).kept().get(name), name));
    try (Mode mode = Autograd.noGrad()) {
      new LlmInt8().apply(dense, null).close();
    }
    assertRefused("dense first", new LlmInt8(), sparse);
    assertRefused("dense first", new Magnitude(), sparse);
    assertRefused("not 'llm-int8'", new Magnitude(), new LlmInt8().apply(model, null));
    assertRefused("8 bits", new WeightInt8(), int8);
    assertRefused("8 bits", new Dense(), int8);
    assertRefused("sparse", new Dense(), model);
    assertRefused(
        "needs calibration data", new RandomPruning(0.5, RandomPruning.Ratios.SNIP, 1), model);
    CalibrationData silent = lm -> ((CausalLm) lm).logits(IDS);
    var error =
        assertThrows(
            IllegalArgumentException.class,
            () -> new RandomPruning(0.5, RandomPruning.Ratios.SNIP, 1).apply(model, silent));
    assertTrue(error.getMessage().contains("no targets"), error.getMessage());
    assertRefused("not a multiple of 5", new NmPruning(1, 5), model);
  }

  private static void assertRefused(String part, Compression method, Model model) {
    var error = assertThrows(IllegalArgumentException.class, () -> method.apply(model, null));
    assertTrue(error.getMessage().contains(part), error.getMessage());
  }

  @Test
  void lotteryTicketsHaveACurve() {
    List<Double> losses = List.of(2.0, 2.1, 3.0);
    List<Model> measured = new ArrayList<>();
    SparsityCurve curve =
        new LotteryTicket(2, 0.5, Masks.Reach.LAYER)
            .curve(
                language(),
                model -> {},
                model -> {
                  measured.add(model);
                  return losses.get(measured.size() - 1);
                });
    assertEquals(0, curve.sparsities().get(0));
    assertEquals(0.75, curve.sparsities().get(2), 0.01);
    assertEquals(0.05, curve.losses().get(1), 1e-12);
    assertEquals(0.5, curve.losses().get(2), 1e-12);
  }

  @Test
  void lotteryTicketsGoBackToTheStart() {
    CausalLm start = language();
    Map<String, Tensor> first = new LinkedHashMap<>();
    start.parameters().forEach((name, p) -> first.put(name, p.value().detach().copy()));
    List<Double> densities = new ArrayList<>();
    List<Map<String, Tensor>> trained = new ArrayList<>();
    new LotteryTicket(2, 0.2, Masks.Reach.GLOBAL)
        .run(
            start,
            model -> {
              if (((CausalLm) model).config().projection() instanceof SparseLinear.Config) {
                Map<String, Tensor> weights = Masks.weights(model);
                Map<String, Tensor> before = trained.get(trained.size() - 1);
                Masks.of(model)
                    .kept()
                    .forEach(
                        (name, mask) -> {
                          Tensor kept = mask.to(DType.FLOAT32);
                          assertSame(
                              first.get(name + ".weight").mul(kept), weights.get(name), name);
                          // What stays was not smaller, after training, than what went.
                          double least =
                              before.get(name).abs().maskedFill(mask.not(), 9).min().item();
                          assertTrue(least > 0, name);
                        });
              }
              try (Mode mode = Autograd.noGrad()) {
                model.parameters().values().stream()
                    .filter(Parameter::isTrainable)
                    .forEach(p -> p.value().detach().mul_(-1.5));
              }
            },
            (round, model) -> {
              assertEquals(densities.size(), round);
              densities.add(round == 0 ? 1 : Masks.of(model).density());
              Map<String, Tensor> copies = new LinkedHashMap<>();
              Masks.weights(model).forEach((name, w) -> copies.put(name, w.copy().keep()));
              trained.add(copies);
            });
    assertEquals(3, densities.size());
    assertEquals(0.8, densities.get(1), 1e-4);
    assertEquals(0.64, densities.get(2), 1e-4);
    first.forEach((name, w) -> assertSame(w, start.parameters().get(name).value(), name));
    trained.forEach(each -> each.values().forEach(Tensor::close));
  }
}
