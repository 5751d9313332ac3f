package dev.jformer.mixer.attention;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Alibi;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class ClippedSoftmaxTest {
  /** One head after the other, one weight at a time. */
  private record NaiveClipped(int heads, boolean causal, double gamma, double zeta)
      implements Naive {
    @Override
    public double[][] forward(double[][] x, Weights weights) {
      double[][] qkv = Loops.linear(x, weights, "qkv");
      int width = x[0].length;
      int d = width / heads;
      double[][] mixed = new double[x.length][width];
      for (int h = 0; h < heads; h++) {
        for (int t = 0; t < x.length; t++) {
          double[] logits = new double[x.length];
          for (int s = 0; s < x.length; s++) {
            for (int i = 0; i < d; i++) {
              logits[s] += qkv[t][h * d + i] * qkv[s][width + h * d + i] / Math.sqrt(d);
            }
            if (causal && s > t) {
              logits[s] = Double.NEGATIVE_INFINITY;
            }
          }
          double[] p = Loops.softmax(logits);
          for (int s = 0; s < x.length; s++) {
            double clipped = Math.min(1, Math.max(0, (zeta - gamma) * p[s] + gamma));
            for (int i = 0; i < d; i++) {
              mixed[t][h * d + i] += clipped * qkv[s][2 * width + h * d + i];
            }
          }
        }
      }
      return Loops.linear(mixed, weights, "out");
    }
  }

  private static TokenMixer mixer(
      BlockContext context, ClippedSoftmax.Config config, Position.Config position) {
    Position built =
        position.build(
            context.width(), config.heads(), context.width() / config.heads(), context.length());
    return config.build(context, built);
  }

  /** Heads, α as a share of the length 64, ζ, tokens, width. */
  @ParameterizedTest
  @CsvSource({
    "1, 4, 1, 1, 2",
    "2, 12, 1, 5, 6",
    "3, 0, 1, 6, 6",
    "2, 8, 1.05, 7, 8",
    "1, 20, 1.1, 4, 3"
  })
  void matchesTheDefinition(int heads, double alpha, double zeta, int length, int width) {
    ClippedSoftmax.Config config = new ClippedSoftmax.Config(heads, 0, alpha, zeta);
    for (boolean causal : new boolean[] {true, false}) {
      BlockContext context = causal ? Sites.causal(width) : Sites.bidirectional(width);
      MixerChecks.matches(
          mixer(context, config, new NoPosition.Config()),
          new NaiveClipped(heads, causal, -alpha / context.length(), zeta),
          length,
          width);
    }
  }

  /** Values that the authors' code computed; tools/fixtures/make_quantizable.py wrote them. */
  @Test
  void isTheAuthors() throws IOException {
    Path file = Path.of("src/test/resources/dev/jformer/mixer/attention/quantizable.safetensors");
    TokenMixer mixer =
        mixer(
            Sites.bidirectional(8), new ClippedSoftmax.Config(2, 0, 2, 1), new NoPosition.Config());
    try (SafetensorsFile authors = SafetensorsFile.open(file)) {
      mixer
          .parameters()
          .forEach((parameter, p) -> p.replace(authors.tensor("clipped." + parameter).copy()));
      Tensor x = authors.tensor("clipped.x").copy().requiresGrad(true);
      Tensor output = mixer.forward(x, null);
      assertClose(authors.tensor("clipped.output"), output.detach(), 1e-12);
      output.backward(authors.tensor("clipped.direction"));
      assertClose(authors.tensor("clipped.grad.x"), x.grad(), 1e-10);
    }
  }

  @Test
  void isCausalStreamsAndIgnoresPadding() {
    // At α = 4 nearly equal weights of more than 15 tokens are all cut off, and nothing depends.
    ClippedSoftmax.Config config = new ClippedSoftmax.Config(2, 1, 0.5, 1.02);
    for (Position.Config position :
        new Position.Config[] {new NoPosition.Config(), new Rope.Config(), new Alibi.Config()}) {
      MixerChecks.causal(mixer(Sites.causal(12), config, position), 12);
      MixerChecks.streams(mixer(Sites.causal(12), config, position), 12);
      MixerChecks.ignoresPadding(mixer(Sites.causal(12), config, position), 12);
      MixerChecks.ignoresPadding(mixer(Sites.bidirectional(12), config, position), 12);
    }
  }

  @Test
  void withoutClippingItIsSoftmaxAttention() {
    BlockContext context = Sites.causal(8);
    TokenMixer clipped = mixer(context, new ClippedSoftmax.Config(2, 2, 0, 1), new Rope.Config());
    TokenMixer plain =
        new SoftmaxAttention.Config(2, 2).build(context, new Rope.Config().build(8, 2, 4, 64));
    plain.parameters().forEach((name, p) -> p.copyFrom(clipped.parameters().get(name).value()));
    Tensor x = Tensor.randn(2, 9, 8);
    assertClose(plain.forward(x, null).detach(), clipped.forward(x, null).detach(), 1e-6);
  }

  @Test
  void weightsReachZeroAndOne() {
    TokenMixer mixer =
        mixer(Sites.causal(4), new ClippedSoftmax.Config(1, 0, 60, 1), new NoPosition.Config());
    Tensor weights = mixer.weights(Tensor.randn(1, 6, 4), null).detach();
    assertEquals(1, weights.select(2, 0).select(2, 0).item(), "the first token sees itself only");
    assertTrue(weights.select(2, 5).eq(0).all(), "six nearly equal weights are all cut off");
  }

  @Test
  void refusesWhatIsNoClipping() {
    assertThrows(IllegalArgumentException.class, () -> new ClippedSoftmax.Config(2, 0, -1, 1));
    assertThrows(IllegalArgumentException.class, () -> new ClippedSoftmax.Config(2, 0, 1, 0.9));
    assertThrows(
        IllegalArgumentException.class, () -> new ClippedSoftmax.Config(2, 0, Double.NaN, 1));
    TokenMixer.Config config =
        Configs.parse("{\"type\":\"clipped-softmax\",\"alpha\":12}", TokenMixer.Config.class);
    assertEquals(12, assertInstanceOf(ClippedSoftmax.Config.class, config).alpha());
  }
}
