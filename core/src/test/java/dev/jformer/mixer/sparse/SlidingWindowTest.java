package dev.jformer.mixer.sparse;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionAccess;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Alibi;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class SlidingWindowTest {
  private static TokenMixer mixer(BlockContext context, SlidingWindow.Config config) {
    return mixer(context, config, new NoPosition.Config());
  }

  private static TokenMixer mixer(
      BlockContext context, SlidingWindow.Config config, Position.Config position) {
    int d = context.width() / config.heads();
    return config.build(
        context, position.build(context.width(), config.heads(), d, context.length()));
  }

  private static NaiveAttention naive(SlidingWindow.Config config, boolean causal) {
    NaiveAttention.Bias pattern =
        (head, query, key) -> {
          int distance = Math.abs(query - key);
          boolean near =
              distance % config.dilation() == 0 && distance / config.dilation() <= config.window();
          boolean global = query < config.global() || key < config.global();
          return near || global ? 0 : Double.NEGATIVE_INFINITY;
        };
    int groups = config.keyValueHeads() == 0 ? config.heads() : config.keyValueHeads();
    return new NaiveAttention(config.heads(), groups, causal).with(pattern);
  }

  @ParameterizedTest
  @CsvSource({
    // heads, groups, window, dilation, global, length
    "1, 0, 3, 1, 0, 1",
    "1, 0, 3, 1, 2, 1",
    "2, 0, 3, 1, 0, 7",
    "2, 1, 2, 1, 0, 11",
    "2, 0, 2, 2, 0, 11",
    "2, 0, 2, 3, 2, 13",
    "2, 1, 4, 1, 3, 10",
    "1, 0, 50, 1, 0, 6",
  })
  void matchesTheDefinition(
      int heads, int groups, int window, int dilation, int global, int length) {
    SlidingWindow.Config config = new SlidingWindow.Config(heads, groups, window, dilation, global);
    MixerChecks.matches(mixer(Sites.causal(4), config), naive(config, true), length, 4);
    MixerChecks.matches(mixer(Sites.bidirectional(4), config), naive(config, false), length, 4);
  }

  @ParameterizedTest
  @CsvSource({"4, 1, 0", "3, 2, 0", "5, 1, 2", "2, 2, 3"})
  void isCausalStreamsAndIgnoresPadding(int window, int dilation, int global) {
    SlidingWindow.Config config = new SlidingWindow.Config(2, 0, window, dilation, global);
    for (Position.Config position :
        new Position.Config[] {new NoPosition.Config(), new Rope.Config()}) {
      MixerChecks.streams(mixer(Sites.causal(8), config, position), 8);
      MixerChecks.ignoresPadding(mixer(Sites.causal(8), config, position), 8);
      MixerChecks.ignoresPadding(mixer(Sites.bidirectional(8), config, position), 8);
    }
    // A window that reaches the first token from everywhere, as the check asks.
    SlidingWindow.Config wide = new SlidingWindow.Config(2, 0, 20, 2, 1);
    MixerChecks.causal(mixer(Sites.causal(8), wide), 8);
  }

  /** A window and a dilation beyond the text's end need no more memory than one that covers it. */
  @Test
  void aWindowBeyondTheTextCostsNothing() {
    for (boolean causal : new boolean[] {true, false}) {
      BlockContext context = causal ? Sites.causal(8) : Sites.bidirectional(8);
      Tensor x = Tensor.randn(2, 33, 8);
      for (int[] wide : new int[][] {{100_000, 1}, {Integer.MAX_VALUE, 5}, {2, 1 << 30}}) {
        SlidingWindow.Config config = new SlidingWindow.Config(2, 0, wide[0], wide[1], 1);
        TokenMixer mixer = Weights.draw(config.build(context, new NoPosition()));
        mixer.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT32)));
        Tensor y = mixer.forward(x, null);
        Tensor all = mixer.weights(x, null);
        long seen =
            all.gt(0).select(0, 0).select(0, 0).select(0, 32).to(DType.INT64).sum().itemLong();
        assertEquals(wide[1] == 1 ? 33 : wide[1] == 5 ? 8 : 2, seen);
        assertClose(
            AttentionAccess.fromWeights((Attention) mixer, all, x, null).toDoubles(), y, 1e-5);
      }
    }
  }

  @Test
  void weightsAreThoseItMixesBy() {
    SlidingWindow.Config config = new SlidingWindow.Config(2, 0, 3, 2, 1);
    SlidingWindow mixer = (SlidingWindow) mixer(Sites.bidirectional(8), config);
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(2, 17, 8);
      Attention.Heads heads = AttentionAccess.heads(mixer, x);
      Tensor mixed = mixer.whole(heads, null);
      Tensor weights = mixer.weights(x, null);
      assertClose(weights.matmul(heads.value()).toDoubles(), mixed, 1e-5);
    }
  }

  @Test
  void refusesBiases() {
    assertThrows(
        IllegalArgumentException.class,
        () -> mixer(Sites.causal(8), new SlidingWindow.Config(), new Alibi.Config()));
  }
}
