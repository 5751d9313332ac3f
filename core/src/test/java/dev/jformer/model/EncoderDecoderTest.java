package dev.jformer.model;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.attention.CrossAttention;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class EncoderDecoderTest {
  private static final int HEADS = 2;

  /** A small model, with some fields set otherwise: JSON fields, each after a comma. */
  private static EncoderDecoder model(String fields) {
    String base =
        "{'model':'encoder-decoder','encoderLayers':2,'decoderLayers':2,'width':8,'vocab':11,"
            + "'length':32,'dropout':0,'mixer':{'heads':2}}";
    JsonMapper json = new JsonMapper();
    try {
      ObjectNode tree = (ObjectNode) json.readTree(base.replace('\'', '"'));
      String others = "{" + fields.replaceFirst(",", "").replace('\'', '"') + "}";
      tree.setAll((ObjectNode) json.readTree(others));
      EncoderDecoder model =
          (EncoderDecoder) Configs.parse(tree.toString(), Model.Config.class).build();
      model.train(false);
      return model;
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  // ---- The model by its definition, on one pair of texts.

  private static double[][] cross(double[][] x, double[][] memory, Weights weights, String name) {
    double[][] queries = Loops.linear(x, weights, name + "query");
    double[][] both = Loops.linear(memory, weights, name + "keyValue");
    int width = queries[0].length;
    int d = width / HEADS;
    double[][] mixed = new double[x.length][width];
    for (int t = 0; t < x.length; t++) {
      for (int h = 0; h < HEADS; h++) {
        double[] logits = new double[memory.length];
        for (int s = 0; s < memory.length; s++) {
          for (int i = h * d; i < (h + 1) * d; i++) {
            logits[s] += queries[t][i] * both[s][i] / Math.sqrt(d);
          }
        }
        double[] p = Loops.softmax(logits);
        for (int s = 0; s < memory.length; s++) {
          for (int i = h * d; i < (h + 1) * d; i++) {
            mixed[t][i] += p[s] * both[s][width + i];
          }
        }
      }
    }
    return Loops.linear(mixed, weights, name + "out");
  }

  private static double[][] norm(double[][] x, Weights weights, String name) {
    return Loops.layerNorm(
        x, weights.vector(name + ".weight"), weights.vector(name + ".bias"), 1e-5);
  }

  private static double[][] mlp(double[][] x, Weights weights, String name) {
    double[][] hidden = Loops.map(Loops.linear(x, weights, name + "up"), v -> Math.max(0, v));
    return Loops.linear(hidden, weights, name + "down");
  }

  private static double[][] block(
      NormPlacement placement, double[][] x, double[][] memory, Weights weights, String name) {
    NaiveBlock blocks = new NaiveBlock(placement, (each, norm) -> norm(each, weights, norm));
    NaiveAttention self = new NaiveAttention(HEADS, HEADS, memory != null).at(name + "mixer.");
    x = blocks.part(x, name + "mixer", each -> self.forward(each, weights));
    if (memory != null) {
      x = blocks.part(x, name + "cross", each -> cross(each, memory, weights, name + "cross."));
    }
    return blocks.part(x, name + "ffn", each -> mlp(each, weights, name + "ffn."));
  }

  private static double[][] embed(double[][] table, long[] ids) {
    int width = table[0].length;
    double[][] x = new double[ids.length][width];
    for (int t = 0; t < ids.length; t++) {
      for (int i = 0; i < width; i++) {
        double angle = t / Math.pow(10_000, (double) (i - i % 2) / width);
        // Tables hold float32.
        float position = (float) (i % 2 == 0 ? Math.sin(angle) : Math.cos(angle));
        x[t][i] = table[(int) ids[t]][i] * Math.sqrt(width) + position;
      }
    }
    return x;
  }

  private static double[][] naive(EncoderDecoder model, long[] source, long[] target) {
    Weights weights = Weights.of(model);
    NormPlacement placement = model.config().placement();
    NaiveBlock blocks = new NaiveBlock(placement, (each, norm) -> norm(each, weights, norm));
    double[][] table = weights.matrix("embedding.weight");
    double[][] sources = model.config().shared() ? table : weights.matrix("sourceEmbedding.weight");
    double[][] memory = embed(sources, source);
    for (int i = 0; i < model.config().encoderLayers(); i++) {
      memory = block(placement, memory, null, weights, "encoder.blocks." + i + ".");
    }
    memory = blocks.last(memory, "encoder.norm");
    double[][] x = embed(table, target);
    for (int i = 0; i < model.config().decoderLayers(); i++) {
      x = block(placement, x, memory, weights, "decoder." + i + ".");
    }
    x = blocks.last(x, "norm");
    return Loops.linear(x, model.config().tied() ? table : weights.matrix("head.weight"), null);
  }

  @ParameterizedTest
  @CsvSource({
    "pre,true,true",
    "post,true,true",
    "sandwich,true,true",
    "pre,false,true",
    "pre,true,false"
  })
  void equalsItsDefinition(String placement, boolean shared, boolean tied) {
    EncoderDecoder model =
        Weights.draw(
            model(",'placement':'%s','shared':%s,'tied':%s".formatted(placement, shared, tied)));
    long[][] sources = {{3, 1, 4, 1, 5, 10}, {9, 2, 10}};
    long[][] targets = {{10, 7, 8, 2, 1}, {10, 6, 0}};
    for (int i = 0; i < 2; i++) {
      Tensor logits =
          model.logits(
              Tensor.of(sources[i], 1, sources[i].length),
              null,
              Tensor.of(targets[i], 1, targets[i].length));
      assertClose(naive(model, sources[i], targets[i]), logits.squeeze(0), 1e-8);
    }
    // Filled up and side by side.
    Tensor source = Tensor.of(new long[] {3, 1, 4, 1, 5, 10, 9, 2, 10, 6, 6, 6}, 2, 6);
    Tensor paddingMask =
        Tensor.of(
            new boolean[] {
              true, true, true, true, true, true, true, true, true, false, false, false
            },
            2,
            6);
    Tensor target = Tensor.of(new long[] {10, 7, 8, 2, 1, 10, 6, 0, 3, 3}, 2, 5);
    Tensor logits = model.logits(source, paddingMask, target);
    assertClose(naive(model, sources[0], targets[0]), logits.select(0, 0), 1e-8);
    assertClose(naive(model, sources[1], targets[1]), logits.select(0, 1).narrow(0, 0, 3), 1e-8);
    Tensor places = Tensor.of(new long[] {6, 0, 7});
    assertClose(
        logits.flatten(0, 1).indexSelect(0, places).to(DType.FLOAT32),
        model.logits(source, paddingMask, target, places),
        1e-5);
    assertClose(
        logits.select(1, 2),
        model.output(
            model.hidden(model.encode(source, paddingMask), paddingMask, target).select(1, 2)),
        1e-12);
  }

  @Test
  void crossAttentionAndItsGradientsAreThoseOfTheDefinition() {
    CrossAttention attention = new CrossAttention(HEADS, Sites.causal(6));
    Tensor both = Tensor.randn(2, 7, 6).to(DType.FLOAT64);
    ModuleChecks.matches(
        attention,
        x -> attention.forward(x.narrow(1, 0, 3), x.narrow(1, 3, 4), null),
        (x, weights) -> cross(Arrays.copyOf(x, 3), Arrays.copyOfRange(x, 3, 7), weights, ""),
        both);
  }

  @ParameterizedTest
  @EnumSource(value = NormPlacement.class, names = "PARALLEL", mode = EnumSource.Mode.EXCLUDE)
  void decoderBlockAndItsGradientsAreThoseOfTheDefinition(NormPlacement placement) {
    Position none = new NoPosition.Config().build(6, HEADS, 3, 64);
    DecoderBlock block =
        new DecoderBlock(
            Sites.causal(6),
            new BlockConfig()
                .with(
                    b ->
                        b.placement(placement)
                            .mixer(new SoftmaxAttention.Config(HEADS, 0))
                            .ffn(new Mlp.Config(dev.jformer.nn.Activation.RELU, 2, 0))),
            HEADS,
            none);
    ModuleChecks.matches(
        block,
        x -> block.forward(x.narrow(1, 0, 3), block.read(x.narrow(1, 3, 4), null)),
        (x, weights) ->
            block(placement, Arrays.copyOf(x, 3), Arrays.copyOfRange(x, 3, 7), weights, ""),
        Tensor.randn(2, 7, 6).to(DType.FLOAT64));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sinusoidal", "learned", "rope", "t5", "none"})
  void decodingStepByStepGivesWhatTheWholeTextGives(String position) {
    EncoderDecoder model = model(",'position':{'type':'" + position + "'}");
    try (Mode mode = Autograd.inference()) {
      int beams = 3;
      Tensor source = Tensor.randint(0, 11, 2, 5);
      Tensor paddingMask =
          Tensor.of(
              new boolean[] {true, true, true, true, true, true, true, true, false, false}, 2, 5);
      Tensor texts = Tensor.randint(0, 11, 2L * beams, 7);
      Tensor logits =
          model.logits(
              source.repeatInterleave(beams, 0), paddingMask.repeatInterleave(beams, 0), texts);
      try (EncoderDecoder.Decoding decoding = model.decode(source, paddingMask, beams, 7)) {
        for (int t = 0; t < 4; t++) {
          assertClose(logits.select(1, t), decoding.next(texts.select(1, t)), 1e-5);
        }
        // Texts change places within a source, and the first source goes.
        Tensor rows = Tensor.of(new long[] {5, 3, 3});
        decoding.select(rows, Tensor.of(new long[] {1}));
        assertEquals(4, decoding.length());
        assertTrue(decoding.bytes() > 0);
        for (int t = 4; t < 7; t++) {
          Tensor expected = logits.indexSelect(0, rows).select(1, t);
          assertClose(expected, decoding.next(texts.indexSelect(0, rows).select(1, t)), 1e-5);
        }
      }
    }
  }

  @Test
  void laterTokensAndPaddingChangeNothing() {
    EncoderDecoder model = model("");
    try (Mode mode = Autograd.inference()) {
      Tensor source = Tensor.of(new long[] {1, 2, 3, 4}, 1, 4);
      Tensor paddingMask = Tensor.of(new boolean[] {true, true, false, false}, 1, 4);
      Tensor target = Tensor.of(new long[] {10, 2, 3, 4}, 1, 4);
      Tensor logits = model.logits(source, paddingMask, target);
      Tensor other = Tensor.of(new long[] {1, 2, 9, 9}, 1, 4);
      assertSame(logits, model.logits(other, paddingMask, target), "padding of the source");
      Tensor later = Tensor.of(new long[] {10, 2, 7, 7}, 1, 4);
      assertSame(
          logits.narrow(1, 0, 2),
          model.logits(source, paddingMask, later).narrow(1, 0, 2),
          "scores before the tokens that changed");
      assertFalse(logits.sameAs(model.logits(other, null, target)), "the source counts");
    }
  }

  @Test
  void startsWithLogitsOfAboutOne() {
    EncoderDecoder model = model(",'width':64");
    try (Mode mode = Autograd.inference()) {
      Tensor ids = Tensor.randint(0, 11, 8, 20);
      double deviation =
          Math.sqrt(model.logits(ids, null, ids).flatten(0, 2).variance(0, false).item());
      assertTrue(deviation > 0.5 && deviation < 2, "deviation " + deviation);
    }
  }

  @Test
  void sharesItsTablesAsItsConfigurationSays() {
    assertEquals(
        List.of("embedding.weight"),
        model("").parameters().keySet().stream()
            .filter(n -> n.matches("(.*E|e)mbedding.*"))
            .toList());
    assertFalse(model("").parameters().containsKey("head.weight"));
    assertTrue(model(",'shared':false").parameters().containsKey("sourceEmbedding.weight"));
    assertTrue(model(",'tied':false").parameters().containsKey("head.weight"));
  }

  @Test
  void knowsItsEnd() {
    EncoderDecoder.Config config = new EncoderDecoder.Config();
    assertEquals(100, config.sized(100, 0).vocab());
    assertEquals(0, config.sized(100, 0).build().end());
    assertEquals(101, config.sized(100, -1).vocab());
    assertEquals(100, config.sized(100, -1).build().end());
    assertTrue(config.sized(100, -1).fits(100));
    assertTrue(config.sized(100, 5).fits(100));
    assertFalse(config.sized(100, 5).fits(101));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        ",'end':11;end is 11",
        ",'crossHeads':3;heads is 3",
        ",'decoderLayers':0;decoderLayers is 0",
        ",'mixer':{'heads':3};heads is 3",
        ",'norm':{'type':'group'};group"
      })
  void refusesWhatCannotBe(String fields, String message) {
    RuntimeException e = assertThrows(RuntimeException.class, () -> model(fields));
    assertTrue(e instanceof IllegalArgumentException || e instanceof ConfigException, e.toString());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void textsLongerThanLearnedPositionsAreRefused() {
    EncoderDecoder model = model(",'position':{'type':'learned'},'length':4");
    Tensor five = Tensor.randint(0, 11, 1, 5);
    Tensor four = Tensor.randint(0, 11, 1, 4);
    assertThrows(IllegalArgumentException.class, () -> model.logits(five, null, four));
    assertThrows(IllegalArgumentException.class, () -> model.logits(four, null, five));
  }
}
