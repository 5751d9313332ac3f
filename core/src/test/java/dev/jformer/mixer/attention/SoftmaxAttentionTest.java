package dev.jformer.mixer.attention;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.Alibi;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.position.RopeAlibi;
import dev.jformer.position.Sinusoidal;
import dev.jformer.position.T5Bias;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class SoftmaxAttentionTest {
  private static final List<Position.Config> POSITIONS =
      List.of(
          new NoPosition.Config(),
          new LearnedPosition.Config(),
          new Sinusoidal.Config(),
          new Rope.Config(),
          new Alibi.Config(),
          new T5Bias.Config(8, 20));

  static List<Position.Config> positions() {
    return POSITIONS;
  }

  private static TokenMixer attention(
      BlockContext context, int heads, int groups, Position.Config position) {
    Position built =
        position.build(context.width(), heads, context.width() / heads, context.length());
    return new SoftmaxAttention.Config(heads, groups).build(context, built);
  }

  private static TokenMixer causal(int width, int heads, int groups, Position.Config position) {
    return attention(Sites.causal(width), heads, groups, position);
  }

  /** Heads, groups (H: multi-head, 1: multi-query), tokens, width. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 2",
    "1, 1, 5, 3",
    "2, 2, 1, 6",
    "2, 2, 6, 6",
    "3, 3, 5, 9",
    "4, 2, 7, 8",
    "6, 2, 4, 6",
    "4, 1, 5, 8"
  })
  void matchesTheDefinition(int heads, int groups, int length, int width) {
    NoPosition.Config none = new NoPosition.Config();
    MixerChecks.matches(
        causal(width, heads, groups, none), new NaiveAttention(heads, groups, true), length, width);
    MixerChecks.matches(
        attention(Sites.bidirectional(width), heads, groups, none),
        new NaiveAttention(heads, groups, false),
        length,
        width);
  }

  @ParameterizedTest
  @CsvSource({"2, 2, 6, 8", "4, 1, 5, 8", "1, 1, 1, 2"})
  void matchesWithRotaryPositions(int heads, int groups, int length, int width) {
    MixerChecks.matches(
        causal(width, heads, groups, new Rope.Config(100)),
        new NaiveAttention(heads, groups, true).with(NaiveAttention.rope(100)),
        length,
        width);
    MixerChecks.matches(
        attention(Sites.bidirectional(width), heads, groups, new Rope.Config(100)),
        new NaiveAttention(heads, groups, false).with(NaiveAttention.rope(100)),
        length,
        width);
  }

  @ParameterizedTest
  @CsvSource({"2, 2, 6, 8", "4, 1, 5, 8", "1, 1, 1, 2"})
  void matchesWithLinearBiases(int heads, int groups, int length, int width) {
    MixerChecks.matches(
        causal(width, heads, groups, new Alibi.Config()),
        new NaiveAttention(heads, groups, true).with(NaiveAttention.alibi(heads)),
        length,
        width);
    MixerChecks.matches(
        attention(Sites.bidirectional(width), heads, groups, new Alibi.Config()),
        new NaiveAttention(heads, groups, false).with(NaiveAttention.alibi(heads)),
        length,
        width);
  }

  /** At lengths before, at and beyond the blocks of the fused kernel, in both precisions. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 16, 17, 63, 64, 65, 127, 129, 200})
  void biasesAreRightBeyondTheKernelsBlocks(int length) {
    int width = 16;
    int heads = 4;
    // Biases are float32.
    NaiveAttention.Bias harmonic = (head, q, k) -> -Math.abs(q - k) * (1f / (head + 1));
    for (boolean isCausal : new boolean[] {true, false}) {
      BlockContext context = isCausal ? Sites.causal(width) : Sites.bidirectional(width);
      NaiveAttention plain = new NaiveAttention(heads, 2, isCausal);
      matchesInBothPrecisions(
          attention(context, heads, 2, new Alibi.Config()),
          plain.with(NaiveAttention.alibi(heads)),
          length,
          width);
      matchesInBothPrecisions(
          attention(context, heads, 2, new RopeAlibi.Config()),
          plain.with(NaiveAttention.rope(10_000)).with(harmonic),
          length,
          width);
    }
  }

  private static void matchesInBothPrecisions(
      TokenMixer mixer, NaiveAttention naive, int length, int width) {
    Weights weights = Weights.of(Weights.draw(mixer));
    Tensor x = Tensor.randn(1, length, width).to(DType.FLOAT64);
    double[][] expected = naive.forward(ModuleChecks.sequences(x)[0], weights);
    assertClose(expected, mixer.forward(x, null).squeeze(0), 1e-9);
    boolean[] last = new boolean[length];
    java.util.Arrays.fill(last, true);
    Tensor kept = Tensor.of(last, 1, length);
    assertClose(expected, mixer.forward(x, kept).squeeze(0), 1e-9);
    mixer.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT32)));
    assertClose(expected, mixer.forward(x.to(DType.FLOAT32), null).squeeze(0), 2e-5);
  }

  @Test
  void singlePrecisionAgreesOnLongerSequences() {
    int width = 32;
    TokenMixer mixer = causal(width, 4, 2, new Rope.Config());
    Weights.draw(mixer);
    Tensor x = Tensor.randn(1, 150, width);
    Weights weights = Weights.of(mixer);
    mixer.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT32)));
    double[][] expected =
        new NaiveAttention(4, 2, true)
            .with(NaiveAttention.rope(10_000))
            .forward(ModuleChecks.sequences(x)[0], weights);
    assertClose(expected, mixer.forward(x, null).squeeze(0), 1e-5);
  }

  @ParameterizedTest
  @MethodSource("positions")
  void isCausal(Position.Config position) {
    MixerChecks.causal(causal(12, 2, 2, position), 12);
    MixerChecks.causal(causal(16, 4, 1, position), 16);
  }

  @ParameterizedTest
  @MethodSource("positions")
  void decodesWhatTheWholeSequenceGives(Position.Config position) {
    MixerChecks.streams(causal(12, 2, 2, position), 12);
    MixerChecks.streams(causal(16, 4, 2, position), 16);
    MixerChecks.streams(causal(6, 1, 1, position), 6);
  }

  @ParameterizedTest
  @MethodSource("positions")
  void ignoresPadding(Position.Config position) {
    MixerChecks.ignoresPadding(causal(12, 2, 1, position), 12);
    MixerChecks.ignoresPadding(attention(Sites.bidirectional(12), 3, 3, position), 12);
  }

  @ParameterizedTest
  @MethodSource("positions")
  void decodesInOtherPrecisions(Position.Config position) {
    for (DType dtype : List.of(DType.FLOAT64, DType.BFLOAT16)) {
      TokenMixer mixer = causal(8, 2, 1, position);
      mixer.parameters().values().forEach(p -> p.replace(p.value().to(dtype)));
      try (Mode mode = Autograd.noGrad();
          TokenMixer.State state = mixer.start(1, 6)) {
        Tensor x = Tensor.randn(1, 6, 8).to(dtype);
        Tensor[] parts = new Tensor[6];
        for (int t = 0; t < 6; t++) {
          parts[t] = mixer.step(x.narrow(1, t, 1), state);
        }
        Tensor joined = Tensor.cat(1, parts);
        assertEquals(dtype, joined.dtype());
        // With the initial deviation of 0.02 outputs are about 1e-3.
        double tolerance = dtype == DType.FLOAT64 ? 1e-12 : 1e-4;
        assertClose(mixer.forward(x, null), joined, tolerance);
      }
    }
  }

  /** Under autocast only the products with weights are rounded to bfloat16. */
  @Test
  void mixedPrecisionStaysNearAndKeepsTheCacheInSinglePrecision() {
    TokenMixer mixer = causal(32, 4, 2, new Rope.Config());
    mixer
        .parameters()
        .values()
        .forEach(p -> p.copyFrom(Tensor.randn(p.value().shape().toArray()).mul(0.2)));
    Tensor x = Tensor.randn(2, 9, 32);
    try (Mode mode = Autograd.noGrad()) {
      Tensor exact = mixer.forward(x, null);
      try (Mode autocast = Autograd.autocast(DType.BFLOAT16, true);
          TokenMixer.State state = mixer.start(2, 9)) {
        Tensor rounded = mixer.forward(x, null);
        assertEquals(DType.BFLOAT16, rounded.dtype());
        double scale = exact.abs().max().item();
        assertTrue(rounded.to(DType.FLOAT32).sub(exact).abs().max().item() < 0.02 * scale);
        assertClose(
            rounded.to(DType.FLOAT32),
            Tensor.cat(
                    1, mixer.step(x.narrow(1, 0, 4), state), mixer.step(x.narrow(1, 4, 5), state))
                .to(DType.FLOAT32),
            0.02 * scale);
        assertTrue(Autograd.isAutocast(), "the mixer's own mode has ended");
      }
    }
  }

  @Test
  void theCacheKnowsItsSizeAndItsLimit() {
    TokenMixer mixer = causal(8, 4, 2, new NoPosition.Config());
    try (Mode mode = Autograd.noGrad();
        TokenMixer.State state = mixer.start(3, 5)) {
      mixer.step(Tensor.randn(3, 4, 8), state);
      // Keys and values, batch 3, 2 groups of width 2, 5 tokens, 4 bytes.
      assertEquals(2 * 3 * 2 * 2 * 5 * 4, state.bytes());
      var error =
          assertThrows(
              IllegalArgumentException.class, () -> mixer.step(Tensor.randn(3, 2, 8), state));
      assertTrue(error.getMessage().contains("5 tokens"), error.getMessage());
      assertEquals(4, state.length(), "a refused step leaves the state as it was");
      mixer.step(Tensor.randn(3, 1, 8), state);
      assertThrows(IllegalArgumentException.class, () -> state.truncate(-1));
    }
  }

  @Test
  void refusesHeadsThatDoNotFit() {
    var error =
        assertThrows(
            IllegalArgumentException.class,
            () -> attention(Sites.causal(10), 4, 4, new NoPosition.Config()));
    assertTrue(error.getMessage().contains("4") && error.getMessage().contains("10"));
    assertThrows(IllegalArgumentException.class, () -> new SoftmaxAttention.Config(0, 0));
    assertThrows(IllegalArgumentException.class, () -> new SoftmaxAttention.Config(4, 3));
    assertThrows(IllegalArgumentException.class, () -> new SoftmaxAttention.Config(4, -1));
    assertThrows(
        IllegalArgumentException.class,
        () -> attention(Sites.causal(6), 2, 2, new Rope.Config()),
        "rotary positions need an even head dimension");
  }

  @Test
  void dropsOutInTrainingOnly() {
    BlockContext context =
        new BlockContext(
            8, 0, 1, 16, true, true, 0.5, new BlockContext.Init(), new Linear.Config());
    TokenMixer mixer = attention(context, 2, 2, new NoPosition.Config());
    Tensor x = Tensor.randn(1, 6, 8);
    assertTrue(mixer.forward(x, null).eq(0).any());
    mixer.train(false);
    assertFalse(mixer.forward(x, null).eq(0).any());
  }
}
