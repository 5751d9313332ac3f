package dev.jformer.compress.neurons;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.compress.prune.Magnitude;
import dev.jformer.config.Configs;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.PerLayer;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class IfmTest {
  private static final int UNITS = 24;

  @BeforeEach
  void seed() {
    Random.seed(7);
  }

  private static CausalLm language(String ffn) {
    return (CausalLm)
        model(
            "{\"model\":\"causal-lm\",\"layers\":2,\"width\":8,\"vocab\":30,\"length\":12,"
                + "\"mixer\":{\"heads\":2},\"ffn\":"
                + ffn
                + "}");
  }

  private static Model model(String config) {
    Model model = Configs.parse(config, Model.Config.class).build();
    model
        .parameters()
        .forEach((n, p) -> p.copyFrom(Tensor.randn(p.value().shape().toArray()).mul(0.3)));
    model.train(false);
    return model;
  }

  /** Every second unit becomes the one before it, its incoming weights times a factor. */
  private static void twins(CausalLm model, double factor) {
    model
        .parameters()
        .forEach(
            (name, p) -> {
              if (name.contains("ffn.up")) {
                copyPairs(p, 0, UNITS, factor);
              } else if (name.contains("ffn.gateUp")) {
                copyPairs(p, 0, UNITS, 1);
                copyPairs(p, UNITS, UNITS, factor);
              }
            });
  }

  private static void copyPairs(Parameter p, int from, int count, double factor) {
    for (int unit = from; unit < from + count; unit += 2) {
      Tensor rows = p.value().detach();
      rows.select(0, unit + 1).copy_(rows.select(0, unit).mul(factor));
    }
  }

  /** What goes out of twins differs, or else magnitude pruning could find them too. */
  private static void twinsBecomeOne(String ffn, double factor) {
    CausalLm model = language(ffn);
    twins(model, factor);
    model
        .parameters()
        .forEach(
            (name, p) -> {
              if (name.endsWith("ffn.down.weight")) {
                for (int unit = 0; unit < UNITS; unit += 2) {
                  Tensor columns = p.value().detach();
                  columns.select(1, unit + 1).copy_(columns.select(1, unit).mul(1 / factor));
                }
              }
            });
    Tensor ids = Tensor.randint(0, 30, 2, 12);
    try (Mode mode = Autograd.noGrad()) {
      Ifm ifm = new Ifm(1e-9, 1);
      CausalLm merged = (CausalLm) ifm.apply(model, null);
      assertEquals(List.of(UNITS / 2, UNITS / 2), ifm.complexity(model));
      assertEquals(List.of(UNITS / 2, UNITS / 2), List.copyOf(NeuronMask.counts(merged).values()));
      double off = merged.logits(ids).sub(model.logits(ids)).abs().max().item();
      assertTrue(off < 2e-5 * model.logits(ids).abs().max().item(), "off by " + off);
      assertEquals(ifm.complexity(merged), ifm.complexity(model));
    }
  }

  @Test
  void equalUnitsBecomeOneAndNothingChanges() {
    twinsBecomeOne("{\"type\":\"mlp\",\"hidden\":24}", 1);
    twinsBecomeOne("{\"type\":\"mlp\",\"hidden\":24,\"activation\":\"relu\"}", 1);
    twinsBecomeOne("{\"type\":\"gated-mlp\",\"hidden\":24}", 1);
  }

  @Test
  void unitsThatDifferInAFactorAreEqualWhereItPasses() {
    twinsBecomeOne("{\"type\":\"mlp\",\"hidden\":24,\"activation\":\"relu\"}", 3);
    twinsBecomeOne("{\"type\":\"gated-mlp\",\"hidden\":24}", 0.5);
    CausalLm model = language("{\"type\":\"mlp\",\"hidden\":24}");
    twins(model, 3);
    assertEquals(List.of(UNITS, UNITS), new Ifm(1e-9, 1).complexity(model), "GELU tells lengths");
  }

  /** Three units that differ in factors, in any order, are one. */
  @Test
  void manyBecomeOne() {
    for (Activation activation : List.of(Activation.RELU, Activation.SQUARED_RELU)) {
      int degree = activation == Activation.RELU ? 1 : 2;
      Tensor direction = Tensor.randn(1, 5);
      Tensor factors = Tensor.of(new float[] {0.5f, 4, 1.5f, 2}, 4, 1);
      Tensor away = Tensor.randn(1, 3);
      HiddenUnits units =
          new HiddenUnits(
              new Mlp.Config(activation, 4, 4),
              direction.mul(factors),
              away.mul(factors.pow(-degree))
                  .mul(Tensor.of(new float[] {1, 1.01f, 0.99f, 1}, 4, 1)));
      HiddenUnits one = new FeatureMerging(units).merged(1, 1);
      Tensor x = Tensor.randn(6, 5);
      Tensor before = activation.apply(x.matmul(units.in().t())).matmul(units.out());
      Tensor after =
          activation.apply(x.to(one.in().dtype()).matmul(one.in().t())).matmul(one.out());
      assertEquals(1, one.count());
      assertTrue(before.sub(after).abs().max().item() < 1e-4);
    }
  }

  /** The same with all distances measured anew after each merging, by the definition. */
  @Test
  void mergesWhatIsNearest() {
    for (Activation activation : List.of(Activation.GELU, Activation.RELU)) {
      for (double threshold : new double[] {0.1, 0.3, 0.6}) {
        Tensor in = Tensor.randn(15, 4);
        Tensor out = Tensor.randn(15, 3);
        HiddenUnits found =
            new FeatureMerging(new HiddenUnits(new Mlp.Config(activation, 4, 15), in, out))
                .merged(threshold, 1);
        List<double[]> naive = naive(in, out, threshold, activation == Activation.RELU);
        assertSameUnits(naive, rows(Tensor.cat(1, found.in(), found.out())), 1e-5);
      }
    }
  }

  /** Rows of incoming weights, 4, then outgoing ones, 3. */
  private static List<double[]> naive(Tensor in, Tensor out, double threshold, boolean relu) {
    List<double[]> units = new ArrayList<>(rows(Tensor.cat(1, in, out)));
    List<Integer> sizes = new ArrayList<>();
    units.forEach(unit -> sizes.add(1));
    while (units.size() > 1) {
      int[] pair = {0, 1};
      double least = Double.POSITIVE_INFINITY;
      double most = 0;
      for (int i = 0; i < units.size(); i++) {
        for (int j = i + 1; j < units.size(); j++) {
          double[] a = relu ? even(units.get(i)) : units.get(i);
          double[] b = relu ? even(units.get(j)) : units.get(j);
          double away = 0;
          for (int k = 0; k < a.length; k++) {
            away += Math.pow(a[k] - b[k], 2);
          }
          most = Math.max(most, away);
          if (away < least) {
            least = away;
            pair = new int[] {i, j};
          }
        }
      }
      if (least > threshold * most) {
        break;
      }
      double[] b = units.remove(pair[1]);
      int second = sizes.remove(pair[1]);
      double[] a = units.get(pair[0]);
      int first = sizes.get(pair[0]);
      double[] one = new double[7];
      double lengthA = relu ? length(a, 0, 4) : 1;
      double lengthB = relu ? length(b, 0, 4) : 1;
      for (int k = 0; k < 4; k++) {
        one[k] = (first * a[k] / lengthA + second * b[k] / lengthB) / (first + second);
      }
      double length = relu ? length(one, 0, 4) : 1;
      for (int k = 0; k < 7; k++) {
        one[k] = k < 4 ? one[k] / length : a[k] * lengthA + b[k] * lengthB;
      }
      units.set(pair[0], one);
      sizes.set(pair[0], first + second);
    }
    if (relu) {
      for (int i = 0; i < units.size(); i++) {
        if (sizes.get(i) > 1) {
          units.set(i, even(units.get(i)));
        }
      }
    }
    return units;
  }

  private static double length(double[] row, int from, int to) {
    return Math.sqrt(Arrays.stream(row, from, to).map(v -> v * v).sum());
  }

  /** As long in what comes in as in what goes out. */
  private static double[] even(double[] unit) {
    double factor = Math.sqrt(length(unit, 4, 7) / length(unit, 0, 4));
    double[] even = unit.clone();
    for (int k = 0; k < 7; k++) {
      even[k] *= k < 4 ? factor : 1 / factor;
    }
    return even;
  }

  private static List<double[]> rows(Tensor matrix) {
    int width = (int) matrix.size(1);
    double[] all = matrix.toDoubles();
    List<double[]> rows = new ArrayList<>();
    for (int i = 0; i < all.length; i += width) {
      rows.add(Arrays.copyOfRange(all, i, i + width));
    }
    return rows;
  }

  private static void assertSameUnits(List<double[]> expected, List<double[]> found, double off) {
    assertEquals(expected.size(), found.size());
    Comparator<double[]> order = Comparator.comparingDouble(row -> row[0]);
    List<double[]> first = expected.stream().sorted(order).toList();
    List<double[]> second = found.stream().sorted(order).toList();
    for (int i = 0; i < first.size(); i++) {
      for (int k = 0; k < first.get(i).length; k++) {
        assertEquals(first.get(i)[k], second.get(i)[k], off);
      }
    }
  }

  /**
   * The authors sum what comes in and average what goes out; with the two exchanged that is what
   * happens here where lengths cannot move. Values from their code: tools/fixtures/make_ifm.py.
   */
  @Test
  void mergesAsTheAuthorsCodeDoes() throws Exception {
    JsonNode cases;
    try (var in = IfmTest.class.getResourceAsStream("ifm.json")) {
      cases = new JsonMapper().readTree(in);
    }
    assertEquals(3, cases.size());
    for (JsonNode each : cases) {
      Tensor up = matrix(each.path("up"));
      Tensor down = matrix(each.path("down"));
      int units = (int) up.size(0);
      HiddenUnits layer = new HiddenUnits(new Mlp.Config(Activation.GELU, 4, units), down.t(), up);
      HiddenUnits left =
          new FeatureMerging(layer)
              .merged(
                  each.path("threshold").asDouble(),
                  PruneNeurons.kept(units, each.path("ratio").asDouble()));
      assertSameUnits(
          rows(matrix(each.path("left"))), rows(Tensor.cat(1, left.out(), left.in())), 1e-9);
    }
  }

  private static Tensor matrix(JsonNode rows) {
    double[] all = new double[rows.size() * rows.get(0).size()];
    int at = 0;
    for (JsonNode row : rows) {
      for (JsonNode value : row) {
        all[at++] = value.asDouble();
      }
    }
    return Tensor.of(all, rows.size(), rows.get(0).size());
  }

  /** Smaller, saved and loaded, and as a share of each layer asks. */
  private static void check(Model model, int units, Function<Model, Tensor> outputs, Path folder)
      throws Exception {
    try (Mode mode = Autograd.noGrad()) {
      Tensor before = outputs.apply(model);
      assertTrue(before.sameAs(outputs.apply(new Ifm(0, 0).apply(model, null))), "nothing");
      List<Double> told = new ArrayList<>();
      Model made = new Ifm(1, 0.25).apply(model, null, told::add);
      assertEquals(List.of(0.5, 1.0), told);
      int left = units - units / 4;
      assertEquals(List.of(left, left), List.copyOf(NeuronMask.counts(made).values()));
      assertTrue(made.parameterCount() < model.parameterCount());
      Models.save(made, folder);
      try (Model loaded = Models.load(folder)) {
        loaded.train(false);
        assertEquals(made.config(), loaded.config());
        assertTrue(outputs.apply(made).sameAs(outputs.apply(loaded)));
      }
      Model again = new Ifm(1, 0.5).apply(made, null);
      int half = left - left / 2;
      assertEquals(List.of(half, half), List.copyOf(NeuronMask.counts(again).values()));
    }
  }

  @Test
  void worksOnLanguageModels(@TempDir Path folder) throws Exception {
    Tensor ids = Tensor.randint(0, 30, 2, 12);
    check(
        language("{\"type\":\"gated-mlp\",\"hidden\":24}"),
        24,
        m -> ((CausalLm) m).logits(ids),
        folder);
  }

  @Test
  void worksOnEncoders(@TempDir Path folder) throws Exception {
    Tensor ids = Tensor.randint(0, 30, 2, 9);
    check(
        model(
            "{\"model\":\"encoder\",\"layers\":2,\"width\":16,\"vocab\":30,\"length\":12,"
                + "\"labels\":3}"),
        64,
        m -> ((Encoder) m).logits(ids, null),
        folder);
  }

  @Test
  void worksOnVisionTransformers(@TempDir Path folder) throws Exception {
    Tensor images = Tensor.rand(2, 3, 32, 32);
    check(
        model("{\"model\":\"vit\",\"layers\":2,\"width\":32,\"mixer\":{\"heads\":2}}"),
        128,
        m -> ((VisionTransformer) m).logits(images),
        folder);
  }

  @Test
  void layersMayKeepDifferentNumbers() {
    CausalLm model = language("{\"type\":\"mlp\",\"hidden\":24}");
    Parameter up = model.parameters().get("blocks.1.ffn.up.weight");
    Parameter bias = model.parameters().get("blocks.1.ffn.up.bias");
    Parameter down = model.parameters().get("blocks.1.ffn.down.weight");
    for (int unit = 1; unit < 4; unit++) {
      up.value().detach().select(0, unit).copy_(up.value().detach().select(0, 0));
      bias.value().detach().select(0, unit).copy_(bias.value().detach().select(0, 0));
      down.value().detach().select(1, unit).copy_(down.value().detach().select(1, 0));
    }
    CausalLm merged = (CausalLm) new Ifm(1e-9, 1).apply(model, null);
    assertEquals(List.of(24, 21), List.copyOf(NeuronMask.counts(merged).values()));
    assertEquals(PerLayer.Config.class, merged.config().ffn().getClass());
  }

  @Test
  void refusesOtherModels() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new Ifm().apply(language("{\"type\":\"nested-mlp\"}"), null));
    assertTrue(e.getMessage().contains("'mlp' or 'gated-mlp', not 'nested-mlp'"), e.getMessage());
    CausalLm model = language("{\"type\":\"mlp\"}");
    Model sparse = new Magnitude().apply(model, null);
    assertThrows(IllegalArgumentException.class, () -> new Ifm().apply(sparse, null));
    Model translator =
        model("{\"model\":\"encoder-decoder\",\"width\":16,\"vocab\":30,\"length\":12}");
    e = assertThrows(IllegalArgumentException.class, () -> new Ifm().apply(translator, null));
    assertTrue(e.getMessage().contains("one stack of blocks"), e.getMessage());
    model.parameters().get("blocks.0.ffn.up.weight").value().detach().fill_(Double.NaN);
    e = assertThrows(IllegalArgumentException.class, () -> new Ifm().apply(model, null));
    assertTrue(e.getMessage().contains("blocks.0.ffn"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new Ifm(1.5, 1));
    assertThrows(IllegalArgumentException.class, () -> new Ifm(0.1, -1));
  }
}
