package dev.jformer.mixer.attention;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

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
class GatedAttentionTest {
  /** Plain attention whose values were gated by the query's token: the same, differently summed. */
  private record NaiveGated(int heads, boolean causal) implements Naive {
    @Override
    public double[][] forward(double[][] x, Weights weights) {
      int width = x[0].length;
      int d = width / heads;
      double[][] gateWeight = weights.matrix("gate.weight");
      double[] gateBias = weights.vector("gate.bias");
      double[][] qkv = Loops.linear(x, weights, "qkv");
      double[][] mixed = new double[x.length][width];
      for (int h = 0; h < heads; h++) {
        for (int t = 0; t < x.length; t++) {
          double gate = gateBias[h];
          for (int i = 0; i < d; i++) {
            gate += gateWeight[h][i] * x[t][h * d + i];
          }
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
            for (int i = 0; i < d; i++) {
              mixed[t][h * d + i] += Loops.sigmoid(gate) * p[s] * qkv[s][2 * width + h * d + i];
            }
          }
        }
      }
      return Loops.linear(mixed, weights, "out");
    }
  }

  private static TokenMixer mixer(
      BlockContext context, GatedAttention.Config config, Position.Config position) {
    Position built =
        position.build(
            context.width(), config.heads(), context.width() / config.heads(), context.length());
    return config.build(context, built);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 2", "2, 5, 6", "3, 6, 6", "4, 7, 8"})
  void matchesTheDefinition(int heads, int length, int width) {
    GatedAttention.Config config = new GatedAttention.Config(heads, 0, 0.3);
    MixerChecks.matches(
        mixer(Sites.causal(width), config, new NoPosition.Config()),
        new NaiveGated(heads, true),
        length,
        width);
    MixerChecks.matches(
        mixer(Sites.bidirectional(width), config, new NoPosition.Config()),
        new NaiveGated(heads, false),
        length,
        width);
  }

  /** Values that the authors' code computed; tools/fixtures/make_quantizable.py wrote them. */
  @Test
  void isTheAuthors() throws IOException {
    Path file = Path.of("src/test/resources/dev/jformer/mixer/attention/quantizable.safetensors");
    TokenMixer mixer =
        mixer(
            Sites.bidirectional(8), new GatedAttention.Config(2, 0, 0.5), new NoPosition.Config());
    try (SafetensorsFile authors = SafetensorsFile.open(file)) {
      mixer
          .parameters()
          .forEach((parameter, p) -> p.replace(authors.tensor("gated." + parameter).copy()));
      Tensor x = authors.tensor("gated.x").copy().requiresGrad(true);
      Tensor output = mixer.forward(x, null);
      assertClose(authors.tensor("gated.output"), output.detach(), 1e-12);
      output.backward(authors.tensor("gated.direction"));
      assertClose(authors.tensor("gated.grad.x"), x.grad(), 1e-10);
    }
  }

  @Test
  void isCausalStreamsAndIgnoresPadding() {
    GatedAttention.Config config = new GatedAttention.Config(2, 1, 0.25);
    for (Position.Config position :
        new Position.Config[] {new NoPosition.Config(), new Rope.Config(), new Alibi.Config()}) {
      MixerChecks.causal(mixer(Sites.causal(12), config, position), 12);
      MixerChecks.streams(mixer(Sites.causal(12), config, position), 12);
      MixerChecks.ignoresPadding(mixer(Sites.causal(12), config, position), 12);
      MixerChecks.ignoresPadding(mixer(Sites.bidirectional(12), config, position), 12);
    }
  }

  @Test
  void gatesStartAsFarOpenAsTold() {
    TokenMixer mixer =
        mixer(Sites.causal(8), new GatedAttention.Config(2, 0, 0.9), new NoPosition.Config());
    Tensor weights = mixer.weights(Tensor.zeros(1, 5, 8), null).detach();
    assertClose(
        Tensor.full(0.9, dev.jformer.tensor.DType.FLOAT32, 1, 2, 5), weights.sum(-1, false), 1e-6);
    assertEquals(2 * (4 + 1), mixer.parameterCount() - plain());
  }

  private static long plain() {
    return new SoftmaxAttention.Config(2, 0)
        .build(Sites.causal(8), new NoPosition.Config().build(8, 2, 4, 64))
        .parameterCount();
  }

  @Test
  void refusesGatesThatCannotMove() {
    for (double open : new double[] {0, 1, -0.5, Double.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> new GatedAttention.Config(2, 0, open));
    }
  }
}
