package dev.jformer.mixer.attention;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.config.Configs;
import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Alibi;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class PrimerAttentionTest {
  /** Plain attention on queries, keys and values that were convolved, one number at a time. */
  private record NaivePrimer(NaiveAttention attention) implements Naive {
    @Override
    public double[][] forward(double[][] x, Weights weights) {
      double[][] qkv = Loops.linear(x, weights, "qkv");
      double[][] kernel = weights.matrix("convolution");
      double[][] convolved = new double[qkv.length][qkv[0].length];
      for (int t = 0; t < qkv.length; t++) {
        for (int c = 0; c < qkv[t].length; c++) {
          for (int back = 0; back < 3 && back <= t; back++) {
            convolved[t][c] += kernel[c][2 - back] * qkv[t - back][c];
          }
        }
      }
      return attention.mix(convolved, weights);
    }
  }

  private static TokenMixer mixer(
      BlockContext context, int heads, int groups, Position.Config position) {
    Position built =
        position.build(context.width(), heads, context.width() / heads, context.length());
    return new PrimerAttention.Config(heads, groups).build(context, built);
  }

  /** Heads, groups, tokens, width. */
  @ParameterizedTest
  @CsvSource({"1, 1, 1, 2", "1, 1, 2, 3", "2, 2, 6, 6", "4, 2, 7, 8", "4, 1, 5, 8"})
  void matchesTheDefinition(int heads, int groups, int length, int width) {
    NoPosition.Config none = new NoPosition.Config();
    MixerChecks.matches(
        mixer(Sites.causal(width), heads, groups, none),
        new NaivePrimer(new NaiveAttention(heads, groups, true)),
        length,
        width);
    MixerChecks.matches(
        mixer(Sites.bidirectional(width), heads, groups, none),
        new NaivePrimer(new NaiveAttention(heads, groups, false)),
        length,
        width);
  }

  @Test
  void convolvesBeforePositionsAct() {
    MixerChecks.matches(
        mixer(Sites.causal(8), 2, 2, new Rope.Config(100)),
        new NaivePrimer(new NaiveAttention(2, 2, true).with(NaiveAttention.rope(100))),
        6,
        8);
  }

  @Test
  void isCausalStreamsAndIgnoresPadding() {
    for (Position.Config position :
        new Position.Config[] {new NoPosition.Config(), new Rope.Config(), new Alibi.Config()}) {
      MixerChecks.causal(mixer(Sites.causal(12), 2, 2, position), 12);
      MixerChecks.streams(mixer(Sites.causal(16), 4, 2, position), 16);
      MixerChecks.ignoresPadding(mixer(Sites.causal(12), 2, 1, position), 12);
      MixerChecks.ignoresPadding(mixer(Sites.bidirectional(12), 3, 3, position), 12);
    }
  }

  @Test
  void startsAsTheAuthorsDo() {
    TokenMixer mixer = mixer(Sites.causal(8), 2, 1, new NoPosition.Config());
    double[] weights = mixer.parameters().get("convolution").value().toDoubles();
    assertEquals((2 + 2) * 4 * 3, weights.length);
    for (int i = 0; i < weights.length; i++) {
      assertEquals(i % 3 == 2 ? 0.5 : 0.5 / 3, weights[i], 1e-7);
    }
  }

  @Test
  void goesBackToTheStartOnly() {
    TokenMixer mixer = mixer(Sites.causal(8), 2, 2, new NoPosition.Config());
    try (Mode mode = Autograd.noGrad();
        TokenMixer.State state = mixer.start(1, 6)) {
      Tensor x = Tensor.randn(1, 6, 8);
      Tensor first = mixer.step(x.narrow(1, 0, 4), state);
      assertThrows(UnsupportedOperationException.class, () -> state.truncate(2));
      state.truncate(0);
      assertClose(first, mixer.step(x.narrow(1, 0, 4), state), 1e-6);
    }
  }

  @Test
  void aRefusedStepLeavesTheStateAsItWas() {
    TokenMixer mixer = mixer(Sites.causal(8), 2, 2, new NoPosition.Config());
    try (Mode mode = Autograd.noGrad();
        TokenMixer.State state = mixer.start(1, 5)) {
      Tensor x = Tensor.randn(1, 5, 8);
      mixer.step(x.narrow(1, 0, 4), state);
      assertThrows(IllegalArgumentException.class, () -> mixer.step(Tensor.randn(1, 2, 8), state));
      assertClose(
          mixer.forward(x, null).narrow(1, 4, 1), mixer.step(x.narrow(1, 4, 1), state), 1e-5);
    }
  }

  @Test
  void isFoundByItsName() {
    TokenMixer.Config config =
        Configs.parse("{\"type\":\"primer\",\"heads\":6}", TokenMixer.Config.class);
    assertEquals(6, assertInstanceOf(PrimerAttention.Config.class, config).heads());
    assertThrows(IllegalArgumentException.class, () -> new PrimerAttention.Config(0, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> mixer(Sites.causal(10), 4, 4, new NoPosition.Config()));
  }

  @Test
  void squaredReluIsTheSquareOfWhatIsPositive() {
    Tensor x = Tensor.of(new double[] {-2, 0, 0.5, 3}, 4).to(DType.FLOAT64).requiresGrad(true);
    Tensor y = Activation.SQUARED_RELU.apply(x);
    assertClose(new double[] {0, 0, 0.25, 9}, y.detach(), 0);
    y.sum().backward();
    assertClose(new double[] {0, 0, 1, 6}, x.grad(), 0);
  }
}
