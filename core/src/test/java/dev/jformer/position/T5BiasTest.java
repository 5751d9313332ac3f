package dev.jformer.position;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.config.Configs;
import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Module;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class T5BiasTest {
  private static final Path FIXTURE = Path.of("src/test/resources/dev/jformer/position/t5.json");

  private static double[] doubles(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false)
        .mapToDouble(JsonNode::asDouble)
        .toArray();
  }

  private static long[] longs(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToLong(JsonNode::asLong).toArray();
  }

  /** Python transformers' buckets of near and far distances, and its biases. */
  @Test
  void isTransformersT5() throws IOException {
    JsonNode expected = new JsonMapper().readTree(Files.readString(FIXTURE));
    int heads = expected.get("heads").asInt();
    int queries = expected.get("queries").asInt();
    int keys = expected.get("keys").asInt();
    long[] distances = longs(expected.get("distances"));
    int cases = 0;
    for (JsonNode each : expected.get("cases")) {
      int buckets = each.get("buckets").asInt();
      boolean causal = each.get("causal").asBoolean();
      T5Bias.Config config = new T5Bias.Config(buckets, each.get("maxDistance").asInt());
      T5Bias position = (T5Bias) config.build(8, heads, 4, 16);
      assertArrayEquals(
          longs(each.get("found")),
          position.buckets(Tensor.of(distances, distances.length), causal).toLongs(),
          config + (causal ? ", causal" : ""));
      position
          .parameters()
          .get("weight")
          .copyFrom(Tensor.of(doubles(each.get("table")), buckets, heads));
      Tensor bias = position.bias(0, queries, keys, causal);
      assertEquals("[2x7x12]", bias.shape().toString());
      assertClose(doubles(each.get("bias")), bias, 1e-7);
      // The rows of later queries are the last rows of more.
      assertClose(bias.narrow(1, 4, 3), position.bias(4, 3, keys, causal), 0);
      cases++;
    }
    assertEquals(8, cases);
  }

  /** A mixer with the positions that it was built for. */
  private static final class Pair extends Module {
    private final TokenMixer mixer;

    Pair(Position position, TokenMixer mixer) {
      this.mixer = mixer;
      child("position", Position.class, position);
      child("mixer", TokenMixer.class, mixer);
    }
  }

  /** Gradients reach the table, too; heads, key and value heads, tokens. */
  @ParameterizedTest
  @CsvSource({
    "2, 2, 9, true",
    "4, 2, 6, true",
    "1, 1, 1, true",
    "2, 2, 9, false",
    "2, 1, 5, false"
  })
  void attentionMatchesTheDefinition(int heads, int groups, int length, boolean causal) {
    int width = 8;
    Position position = new T5Bias.Config(8, 20).build(width, heads, width / heads, 16);
    SoftmaxAttention.Config config = new SoftmaxAttention.Config(heads, groups);
    Pair pair =
        new Pair(
            position,
            config.build(causal ? Sites.causal(width) : Sites.bidirectional(width), position));
    Naive naive =
        (x, w) ->
            new NaiveAttention(heads, groups, causal)
                .with(NaiveAttention.t5(w.matrix("position.weight"), 20, causal))
                .at("mixer.")
                .forward(x, w);
    Tensor x = Tensor.randn(2, length, width).to(DType.FLOAT64);
    ModuleChecks.matches(pair, input -> pair.mixer.forward(input, null), naive, x);
  }

  /** Causal models have buckets of their own in the logits of all pairs, too. */
  @Test
  void logitsHaveTheBiasesThatWeightsHave() {
    for (BlockContext context : List.of(Sites.causal(8), Sites.bidirectional(8))) {
      Position position = new T5Bias.Config(8, 20).build(8, 2, 4, 16);
      TokenMixer mixer = new SoftmaxAttention.Config(2, 0).build(context, position);
      Tensor x = Tensor.randn(1, 12, 8);
      Tensor logits = mixer.logits(x);
      assertTrue(logits.isFinite().all());
      Tensor ahead = Tensor.ones(12, 12).triu(1).gt(0);
      Tensor seen = context.causal() ? logits.maskedFill(ahead, Double.NEGATIVE_INFINITY) : logits;
      assertClose(seen.softmax(-1), mixer.weights(x, null), 1e-6);
    }
  }

  /** What layers share in a pass has the gradient of a table of each layer's own, summed. */
  @Test
  void layersThatShareAPassAddUpTheirGradients() {
    Position position = new T5Bias.Config(8, 20).build(8, 2, 4, 16);
    Tensor table = position.parameters().get("weight").value();
    Tensor first = Tensor.randn(2, 6, 6);
    Tensor second = Tensor.randn(2, 6, 6);
    try (Position.Pass pass = position.pass()) {
      Tensor a = position.sharedBias(0, 6, 6, false).exp().mul(first).sum();
      a.add(position.sharedBias(0, 6, 6, false).exp().mul(second).sum()).backward();
    }
    double[] shared = table.grad().toDoubles();
    position.clearGrads();
    position.bias(0, 6, 6, false).exp().mul(first.add(second)).sum().backward();
    assertClose(shared, table.grad(), 1e-5);
  }

  @Test
  void startsAsT5() {
    Position position = new T5Bias.Config(512, 1024).build(64, 16, 4, 16);
    Tensor table = position.parameters().get("weight").value();
    assertEquals("[512x16]", table.shape().toString());
    // 8,192 draws with the deviation 1/√64.
    assertEquals(0, table.mean().item(), 4 * 0.125 / Math.sqrt(8192));
    assertEquals(0.125, Math.sqrt(table.square().mean().item()), 0.005);
  }

  @Test
  void configurations() {
    T5Bias.Config config = new T5Bias.Config(16, 50);
    Position.Config read = Configs.parse(Configs.toJson(config), Position.Config.class);
    assertEquals(config, read);
    assertEquals(
        new T5Bias.Config(32, 128), Configs.parse("{\"type\": \"t5\"}", Position.Config.class));
    for (int buckets : new int[] {2, 7, 0, -4}) {
      var error =
          assertThrows(IllegalArgumentException.class, () -> new T5Bias.Config(buckets, 128));
      assertTrue(error.getMessage().contains("buckets is " + buckets), error.getMessage());
    }
    var error = assertThrows(IllegalArgumentException.class, () -> new T5Bias.Config(32, 16));
    assertTrue(error.getMessage().contains("maxDistance is 16"), error.getMessage());
  }
}
