package dev.jformer.mixer.attention;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.position.Alibi;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.position.Sinusoidal;
import dev.jformer.position.T5Bias;
import dev.jformer.position.Toeplitz;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Scoped.class)
class UrpeTest {
  private static final Path FIXTURE =
      Path.of("src/test/resources/dev/jformer/mixer/attention/urpe.safetensors");

  static List<Position.Config> positions() {
    return List.of(
        new NoPosition.Config(),
        new LearnedPosition.Config(),
        new Sinusoidal.Config(),
        new Rope.Config(),
        new Alibi.Config(),
        new T5Bias.Config(8, 20));
  }

  private static BlockContext site(int width, int length, boolean causal) {
    return new BlockContext(
        width, 0, 2, length, causal, true, 0, new BlockContext.Init(), new Linear.Config());
  }

  private static TokenMixer urpe(
      BlockContext context, int heads, int groups, Position.Config position) {
    Position built =
        position.build(context.width(), heads, context.width() / heads, context.length());
    return new Urpe.Config(heads, groups).build(context, built);
  }

  /** With factors that are not the ones they start with. */
  private static TokenMixer drawn(TokenMixer mixer) {
    Parameter factors = mixer.parameters().get("factors");
    factors.copyFrom(Tensor.randn(factors.value().shape().toArray()));
    return mixer;
  }

  /** out_i = Σ_j softmax(logits)_ij c_(j-i) v_j in loops, for heads with logits biased. */
  private static Naive naive(
      int heads, int groups, int maxLength, boolean causal, NaiveAttention.Bias bias) {
    return (x, w) -> {
      int length = x.length;
      int d = x[0].length / heads;
      double[][] qkv = Loops.linear(x, w, "qkv");
      double[][] factors = w.matrix("factors");
      double[][] mixed = new double[length][x[0].length];
      for (int h = 0; h < heads; h++) {
        int key = (heads + h / (heads / groups)) * d;
        int value = key + groups * d;
        for (int i = 0; i < length; i++) {
          double[] logits = new double[length];
          for (int j = 0; j < length; j++) {
            logits[j] = causal && j > i ? Double.NEGATIVE_INFINITY : bias.of(h, i, j);
            for (int c = 0; c < d; c++) {
              logits[j] += qkv[i][h * d + c] * qkv[j][key + c] / Math.sqrt(d);
            }
          }
          double[] p = Loops.softmax(logits);
          for (int j = 0; j < (causal ? i + 1 : length); j++) {
            int distance = Math.max(1 - maxLength, Math.min(maxLength - 1, j - i));
            double factor = factors[h][distance + maxLength - 1];
            for (int c = 0; c < d; c++) {
              mixed[i][h * d + c] += p[j] * factor * qkv[j][value + c];
            }
          }
        }
      }
      return Loops.linear(mixed, w, "out");
    };
  }

  private static final NaiveAttention.Bias NONE = (head, query, key) -> 0;

  /** Heads, groups, tokens, width, the model's length: less than the tokens in some. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 2, 1",
    "1, 1, 5, 3, 5",
    "2, 2, 7, 6, 16",
    "4, 2, 6, 8, 6",
    "4, 1, 5, 8, 9",
    "2, 2, 9, 4, 4",
    "2, 1, 6, 4, 1"
  })
  void matchesTheDefinition(int heads, int groups, int tokens, int width, int length) {
    for (boolean causal : new boolean[] {true, false}) {
      BlockContext context = site(width, length, causal);
      MixerChecks.matches(
          urpe(context, heads, groups, new NoPosition.Config()),
          naive(heads, groups, length, causal, NONE),
          tokens,
          width);
      MixerChecks.matches(
          urpe(context, heads, groups, new Alibi.Config()),
          naive(heads, groups, length, causal, NaiveAttention.alibi(heads)),
          tokens,
          width);
    }
  }

  @Test
  void matchesWithT5Biases() {
    for (boolean causal : new boolean[] {true, false}) {
      Position position = new T5Bias.Config(8, 20).build(8, 2, 4, 16);
      Weights.draw(position);
      double[][] table = Weights.of(position).matrix("weight");
      MixerChecks.matches(
          new Urpe.Config(2, 0).build(site(8, 16, causal), position),
          naive(2, 2, 16, causal, NaiveAttention.t5(table, 20, causal)),
          9,
          8);
    }
  }

  @Test
  void isTheAuthorsCode() throws IOException {
    try (SafetensorsFile fixture = SafetensorsFile.open(FIXTURE)) {
      Tensor x = fixture.tensor("x");
      int length = (int) x.size(1);
      int width = (int) x.size(2);
      Tensor table = fixture.tensor("bias");
      Position given =
          new Position() {
            @Override
            public Tensor bias(long start, long queries, long keys, boolean causal) {
              return Toeplitz.matrix(table, queries, keys);
            }
          };
      TokenMixer mixer =
          new Urpe.Config((int) table.size(0), 0).build(site(width, length, false), given);
      mixer.parameters().forEach((name, p) -> p.replace(fixture.tensor(name)));
      Tensor y = mixer.forward(x, null);
      assertClose(fixture.tensor("y"), y, 1e-12);
      y.backward(fixture.tensor("direction"));
      Parameter factors = mixer.parameters().get("factors");
      assertClose(fixture.tensor("factors.grad"), factors.value().grad(), 1e-12);
    }
  }

  @ParameterizedTest
  @MethodSource("positions")
  void startsAsSoftmaxAttention(Position.Config config) {
    Position position = config.build(8, 2, 4, 16);
    for (BlockContext context : List.of(Sites.causal(8), Sites.bidirectional(8))) {
      TokenMixer urpe = new Urpe.Config(2, 1).build(context, position);
      TokenMixer softmax = new SoftmaxAttention.Config(2, 1).build(context, position);
      softmax.parameters().forEach((name, p) -> p.copyFrom(urpe.parameters().get(name).value()));
      Tensor x = Tensor.randn(2, 9, 8);
      assertClose(softmax.forward(x, null), urpe.forward(x, null), 1e-6);
      assertEquals(
          context.causal() ? "[2x64]" : "[2x127]",
          urpe.parameters().get("factors").value().shape().toString());
    }
  }

  @ParameterizedTest
  @MethodSource("positions")
  void isCausal(Position.Config position) {
    MixerChecks.causal(drawn(urpe(Sites.causal(12), 2, 2, position)), 12);
    MixerChecks.causal(drawn(urpe(site(16, 8, true), 4, 1, position)), 16);
  }

  /** In the second mixer tokens are more than the model's length. */
  @ParameterizedTest
  @MethodSource("positions")
  void decodesWhatTheWholeSequenceGives(Position.Config position) {
    MixerChecks.streams(drawn(urpe(Sites.causal(12), 2, 2, position)), 12);
    MixerChecks.streams(drawn(urpe(site(16, 8, true), 4, 2, position)), 16);
  }

  @ParameterizedTest
  @MethodSource("positions")
  void ignoresPadding(Position.Config position) {
    MixerChecks.ignoresPadding(drawn(urpe(Sites.causal(12), 2, 1, position)), 12);
    MixerChecks.ignoresPadding(drawn(urpe(Sites.bidirectional(12), 3, 3, position)), 12);
  }

  /** Factors count in the weights, and the weights make the output. */
  @Test
  void weightsAreTheProductOfBothMatrices() {
    TokenMixer mixer = urpe(Sites.bidirectional(4), 1, 1, new Alibi.Config());
    Tensor x = Tensor.randn(1, 5, 4);
    Tensor softmax = mixer.weights(x, null);
    assertClose(Tensor.ones(1, 1, 5), softmax.sum(3, false), 1e-6);
    drawn(mixer);
    double[] factors = mixer.parameters().get("factors").value().toDoubles();
    double[] expected = softmax.toDoubles();
    for (int i = 0; i < 5; i++) {
      for (int j = 0; j < 5; j++) {
        expected[i * 5 + j] *= factors[j - i + 63];
      }
    }
    assertClose(expected, mixer.weights(x, null), 1e-6);
  }

  /** Without gradients for the factors of distances that no pair has. */
  @Test
  void onlyFactorsInUseGetGradients() {
    TokenMixer mixer = urpe(site(4, 6, true), 1, 1, new NoPosition.Config());
    mixer.forward(Tensor.randn(1, 3, 4), null).square().sum().backward();
    double[] gradient = mixer.parameters().get("factors").value().grad().toDoubles();
    for (int i = 0; i < 6; i++) {
      assertEquals(i >= 3, gradient[i] != 0, "distance " + (i - 5));
    }
  }

  /** Under autocast the matrices stay in float32, and nothing fails. */
  @Test
  void mixedPrecisionStaysNear() {
    TokenMixer mixer = drawn(urpe(Sites.causal(16), 4, 2, new T5Bias.Config()));
    Tensor x = Tensor.randn(2, 9, 16);
    try (Mode mode = Autograd.noGrad()) {
      Tensor exact = mixer.forward(x, null);
      try (Mode autocast = Autograd.autocast(DType.BFLOAT16, true)) {
        Tensor rounded = mixer.forward(x, null).to(DType.FLOAT32);
        double scale = exact.abs().max().item();
        assertTrue(rounded.sub(exact).abs().max().item() < 0.03 * scale);
      }
    }
  }

  /** A language model: saved, loaded, decoded beyond the length of C, and decoded again. */
  @Test
  void aLanguageModelIsSavedAndDecoded(@TempDir Path folder) throws IOException {
    CausalLm.Config small = new CausalLm.Config();
    CausalLm.Config config =
        small
            .with(c -> c.vocab(11).length(6).tied(true))
            .withStack(s -> s.layers(2).width(12).position(new T5Bias.Config(8, 20)))
            .withBlock(b -> b.mixer(new Urpe.Config(2, 1)).bias(true).dropout(0));
    assertEquals(config, Configs.parse(Configs.toJson(config), Model.Config.class));
    CausalLm model = config.build();
    model.blocks().forEach(block -> drawn(block.mixer()));
    Models.save(model, folder);
    CausalLm loaded = (CausalLm) Models.load(folder);
    Tensor ids = Tensor.randint(0, 11, 2, 10);
    try (Mode mode = Autograd.inference();
        CausalLm.Decoding decoding = loaded.decode(2, 10)) {
      Tensor whole = model.logits(ids);
      assertSame(whole, loaded.logits(ids), "logits");
      decoding.all(Tensor.randint(0, 11, 2, 10));
      decoding.truncate(0);
      for (int back : new int[] {5, 3}) {
        for (int t = (int) decoding.length(); t < 10; t++) {
          assertClose(whole.select(1, t), decoding.next(ids.narrow(1, t, 1)), 1e-5);
        }
        decoding.truncate(back);
      }
      assertClose(whole.narrow(1, 3, 7), decoding.all(ids.narrow(1, 3, 7)), 1e-5);
    }
  }

  @Test
  void configurations() {
    Urpe.Config config = new Urpe.Config(8, 2);
    assertEquals(config, Configs.parse(Configs.toJson(config), TokenMixer.Config.class));
    assertEquals(
        new Urpe.Config(4, 0), Configs.parse("{\"type\": \"urpe\"}", TokenMixer.Config.class));
    assertThrows(IllegalArgumentException.class, () -> new Urpe.Config(0, 0));
    assertThrows(IllegalArgumentException.class, () -> new Urpe.Config(4, 3));
    var error =
        assertThrows(
            IllegalArgumentException.class,
            () -> urpe(Sites.causal(10), 4, 4, new NoPosition.Config()));
    assertTrue(error.getMessage().contains("4") && error.getMessage().contains("10"));
  }
}
