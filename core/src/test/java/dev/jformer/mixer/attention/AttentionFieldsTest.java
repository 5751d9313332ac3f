package dev.jformer.mixer.attention;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.cache.StaircaseCache;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Norm;
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
import dev.jformer.testing.MixerLaws;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The fields of softmax attention: windows, norms of queries and keys, caps, widths of heads. */
@ExtendWith(Scoped.class)
class AttentionFieldsTest {
  private static final int WIDTH = 10;

  private static final SoftmaxAttention.Config PLAIN =
      new SoftmaxAttention.Config(4, 2).withHeadDim(6);

  /** What one configuration computes, one query and key at a time. */
  private record Definition(SoftmaxAttention.Config config, boolean causal, boolean rotated)
      implements Naive {
    @Override
    public double[][] forward(double[][] x, Weights weights) {
      double[][] qkv = Loops.linear(x, weights, "qkv");
      int heads = config.heads();
      int groups = config.groups();
      int d = config.headDim(WIDTH);
      double scale = config.scale() == 0 ? 1 / Math.sqrt(d) : config.scale();
      double[][] mixed = new double[x.length][heads * d];
      for (int h = 0; h < heads; h++) {
        int group = h / (heads / groups);
        double[][] queries = side(qkv, h * d, d, weights, "queryNorm");
        double[][] keys = side(qkv, (heads + group) * d, d, weights, "keyNorm");
        int values = (heads + groups + group) * d;
        for (int t = 0; t < x.length; t++) {
          double[] logits = new double[x.length];
          for (int s = 0; s < x.length; s++) {
            double product = 0;
            for (int i = 0; i < d; i++) {
              product += scale * queries[t][i] * keys[s][i];
            }
            double cap = config.logitCap();
            boolean near = config.window() == 0 || Math.abs(t - s) < config.window();
            boolean isSeen = near && !(causal && s > t);
            double capped = cap == 0 ? product : cap * Math.tanh(product / cap);
            logits[s] = isSeen ? capped : Double.NEGATIVE_INFINITY;
          }
          double[] p = Loops.softmax(logits);
          for (int s = 0; s < x.length; s++) {
            for (int i = 0; i < d; i++) {
              mixed[t][h * d + i] += p[s] * qkv[s][values + i];
            }
          }
        }
      }
      return Loops.linear(mixed, weights, "out");
    }

    private double[][] side(double[][] qkv, int from, int d, Weights weights, String norm) {
      double[][] side = Loops.columns(qkv, from, from + d);
      if (weights.has(norm + ".weight")) {
        side = Loops.rmsNorm(side, weights.vector(norm + ".weight"), 1e-6);
      }
      for (int t = 0; rotated && t < side.length; t++) {
        side[t] = NaiveAttention.rope(10_000).apply(side[t], t);
      }
      return side;
    }
  }

  static List<SoftmaxAttention.Config> configs() {
    return List.of(
        PLAIN,
        PLAIN.withQueryKeyNorm(new Norm.RmsNormConfig()),
        PLAIN.withWindow(1),
        PLAIN.withWindow(5),
        PLAIN.withWindow(64),
        PLAIN.withScale(0.9),
        PLAIN.withLogitCap(0.7),
        PLAIN
            .withQueryKeyNorm(new Norm.RmsNormConfig())
            .withWindow(7)
            .withScale(1.3)
            .withLogitCap(1.1)
            .withQkvBias(true));
  }

  private static TokenMixer build(SoftmaxAttention.Config config, boolean causal, boolean rotated) {
    Position.Config position = rotated ? new Rope.Config() : new NoPosition.Config();
    return build(config, causal ? Sites.causal(WIDTH) : Sites.bidirectional(WIDTH), position);
  }

  private static TokenMixer build(
      SoftmaxAttention.Config config, BlockContext context, Position.Config position) {
    return config.build(
        context, position.build(WIDTH, config.heads(), config.headDim(WIDTH), context.length()));
  }

  @ParameterizedTest
  @MethodSource("configs")
  void outputAndGradientsAreTheDefinitions(SoftmaxAttention.Config config) {
    for (boolean causal : new boolean[] {true, false}) {
      MixerChecks.matches(
          build(config, causal, false), new Definition(config, causal, false), 9, WIDTH);
    }
    MixerChecks.matches(build(config, true, true), new Definition(config, true, true), 8, WIDTH);
  }

  /** Also where queries are attended to in chunks. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 64, 65, 127, 129, 200, 512, 513, 1100})
  void outputsAreTheDefinitionsAtAllLengths(int length) {
    for (SoftmaxAttention.Config config : configs()) {
      for (boolean causal : new boolean[] {true, false}) {
        TokenMixer mixer = Weights.draw(build(config, causal, true));
        Tensor x = Tensor.randn(1, length, WIDTH).to(DType.FLOAT64);
        double[][] expected =
            new Definition(config, causal, true)
                .forward(ModuleChecks.sequences(x)[0], Weights.of(mixer));
        try (Mode mode = Autograd.noGrad()) {
          assertClose(expected, mixer.forward(x, null).squeeze(0), 1e-9);
          mixer.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT32)));
          Tensor single = mixer.forward(x.to(DType.FLOAT32), null);
          assertClose(expected, single.squeeze(0), 5e-5);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void keepsTheLaws(SoftmaxAttention.Config config) {
    TokenMixer mixer = build(config, true, true);
    MixerChecks.streams(mixer, WIDTH);
    MixerLaws laws = new MixerLaws(Weights.draw(mixer), WIDTH, DType.FLOAT64);
    laws.isCausal();
    laws.ignoresPadding();
  }

  /** Far beyond the window, in steps of all sizes, with positions in the logits too. */
  @Test
  void theCacheHoldsTheWindow() {
    SoftmaxAttention.Config config = PLAIN.withWindow(9).withQkvBias(true);
    for (Position.Config position : List.of(new Rope.Config(), new Alibi.Config())) {
      TokenMixer mixer = Weights.draw(build(config, Sites.causal(WIDTH), position));
      Tensor x = Tensor.randn(2, 900, WIDTH).to(DType.FLOAT64);
      try (Mode mode = Autograd.noGrad();
          TokenMixer.State state = mixer.start(2, 900)) {
        Tensor whole = mixer.forward(x, null);
        List<Tensor> parts = new ArrayList<>();
        int[] sizes = {1, 3, 150, 1, 1, 8, 9, 10, 64, 1, 135, 136, 137, 2};
        for (int i = 0; state.length() < 900; i++) {
          long count = Math.min(sizes[i % sizes.length], 900 - state.length());
          parts.add(mixer.step(x.narrow(1, state.length(), count), state));
          if (state.length() > 100 && i % 3 == 0) { // tokens that are taken back and read again
            Tensor wrong = Tensor.randn(2, Math.min(50, 900 - state.length()), WIDTH);
            long before = state.length();
            mixer.step(wrong.to(DType.FLOAT64), state);
            state.truncate(before);
            assertEquals(before, state.length());
          }
        }
        assertClose(whole, Tensor.cat(1, parts.toArray(Tensor[]::new)), 1e-11);
        assertEquals(2L * 2 * 2 * 6 * (8 + 128) * 8, state.bytes(), "the window and some more");
        String refused =
            assertThrows(UnsupportedOperationException.class, () -> state.truncate(600))
                .getMessage();
        assertTrue(refused.contains("from 900 tokens to 600"), refused);
        state.truncate(0);
        assertClose(whole.narrow(1, 0, 200), mixer.step(x.narrow(1, 0, 200), state), 1e-11);
      }
    }
  }

  @Test
  void otherCachesKeepAllAndSeeTheWindow() {
    StaircaseCache.Config cache =
        new StaircaseCache.Config(4, 2, List.of(new StaircaseCache.Step(1000, 8)));
    TokenMixer mixer = build(PLAIN.withWindow(5).withCache(cache), true, true);
    Weights.draw(mixer);
    mixer.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT32)));
    Tensor x = Tensor.randn(1, 40, WIDTH);
    try (Mode mode = Autograd.noGrad();
        TokenMixer.State state = mixer.start(1, 40)) {
      mixer.step(x.narrow(1, 0, 30), state);
      Tensor last = mixer.step(x.narrow(1, 30, 10), state);
      assertClose(mixer.forward(x, null).narrow(1, 30, 10), last, 0.05);
    }
  }

  @Test
  void refusesValuesThatMakeNoSense() {
    assertThrows(IllegalArgumentException.class, () -> PLAIN.withWindow(-1));
    assertThrows(IllegalArgumentException.class, () -> PLAIN.withLogitCap(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> PLAIN.withScale(-1));
    assertThrows(
        IllegalArgumentException.class, () -> PLAIN.withQueryKeyNorm(new Norm.GroupNormConfig()));
  }
}
