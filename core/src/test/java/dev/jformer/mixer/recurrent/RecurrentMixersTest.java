package dev.jformer.mixer.recurrent;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.hub.Models;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Alibi;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * LSTM, retention, diagonal state spaces, linear RNNs, Legendre memories and long convolutions
 * against their definitions.
 */
@ExtendWith(Scoped.class)
class RecurrentMixersTest {
  private static final int WIDTH = 4;
  private static final int MODEL_LENGTH = Sites.causal(WIDTH).length();

  enum Kind {
    LSTM(new Lstm.Config(3), NaiveRecurrent.lstm(3)),
    LSTM_OF_THE_WIDTH(new Lstm.Config(), NaiveRecurrent.lstm(WIDTH)),
    RETENTION(new Retention.Config(2, 0.1), NaiveRecurrent.retention(2, 0.1)),
    S4D(new S4d.Config(6), NaiveRecurrent.s4d(3)),
    DLR(new Dlr.Config(5), NaiveRecurrent.dlr(5)),
    HYENA(new Hyena.Config(2, 5, 3, 1.5), NaiveRecurrent.hyena(2, 3, 1.5, MODEL_LENGTH)),
    LMU(new Lmu.Config(), NaiveRecurrent.lmu(WIDTH, MODEL_LENGTH, 1)),
    LMU_OF_MANY_SIGNALS(new Lmu.Config(3, 30.5, 2), NaiveRecurrent.lmu(3, 30.5, 2)),
    HYENA_OF_ORDER_THREE(new Hyena.Config(3, 3, 1, 1), NaiveRecurrent.hyena(3, 1, 1, MODEL_LENGTH));

    final TokenMixer.Config config;
    final Naive naive;

    Kind(TokenMixer.Config config, Naive naive) {
      this.config = config;
      this.naive = naive;
    }

    TokenMixer build(BlockContext context) {
      return config.build(context, new NoPosition());
    }
  }

  @ParameterizedTest
  @EnumSource
  void matchesTheDefinition(Kind kind) {
    for (int length : new int[] {1, 2, 7}) {
      MixerChecks.matches(kind.build(Sites.causal(WIDTH)), kind.naive, length, WIDTH);
    }
  }

  /** Beyond chunks and blocks, and beyond the model's length. */
  @ParameterizedTest
  @EnumSource
  void matchesTheDefinitionOnLongSequences(Kind kind) {
    Random.seed(3);
    TokenMixer mixer = Weights.draw(kind.build(Sites.causal(WIDTH)));
    mixer.train(false);
    for (int length : new int[] {63, 64, 65, 127, 129, 200}) {
      Tensor x = Tensor.randn(1, length, WIDTH).to(DType.FLOAT64);
      try (Mode mode = Autograd.noGrad()) {
        double[][] expected = kind.naive.forward(ModuleChecks.sequences(x)[0], Weights.of(mixer));
        assertClose(expected, mixer.forward(x, null).squeeze(0), 1e-9);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void holdsTheChecksForUsersParts(Kind kind) {
    MixerChecks.causal(kind.build(Sites.causal(WIDTH)), WIDTH);
    MixerChecks.streams(kind.build(Sites.causal(WIDTH)), WIDTH);
    MixerChecks.ignoresPadding(kind.build(Sites.causal(WIDTH)), WIDTH);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DLR")
  void refusesToLookAhead(Kind kind) {
    var refused =
        assertThrows(IllegalArgumentException.class, () -> kind.build(Sites.bidirectional(WIDTH)));
    assertTrue(refused.getMessage().contains("causal model"), refused.getMessage());
  }

  /** Later tokens have a kernel of their own; padding counts as zeros; nothing decodes. */
  @Test
  void dlrLooksBothWays() {
    for (int length : new int[] {1, 2, 7}) {
      MixerChecks.matches(
          Kind.DLR.build(Sites.bidirectional(WIDTH)), Kind.DLR.naive, length, WIDTH);
    }
    TokenMixer mixer = Weights.draw(Kind.DLR.build(Sites.bidirectional(WIDTH)));
    mixer.train(false);
    for (int length : new int[] {63, 64, 65, 127, 129, 200}) {
      Tensor x = Tensor.randn(1, length, WIDTH).to(DType.FLOAT64);
      try (Mode mode = Autograd.noGrad()) {
        double[][] expected =
            Kind.DLR.naive.forward(ModuleChecks.sequences(x)[0], Weights.of(mixer));
        assertClose(expected, mixer.forward(x, null).squeeze(0), 1e-9);
      }
    }
    MixerChecks.ignoresPadding(Kind.DLR.build(Sites.bidirectional(WIDTH)), WIDTH);
    assertThrows(UnsupportedOperationException.class, () -> mixer.start(1, 8));
  }

  /** The recurrence starts at roots of unity that fade slowly, the same for all channels. */
  @Test
  void dlrStartsAtRootsOfUnity() {
    Random.seed(4);
    Weights start = Weights.of(new Dlr.Config(400).build(Sites.causal(WIDTH), new NoPosition()));
    double[] decay = start.vector("decay");
    double logs = 0;
    for (int n = 0; n < decay.length; n++) {
      assertEquals(2 * Math.PI * n / decay.length, start.vector("frequency")[n], 1e-5);
      double rate = 2 * decay[n] * decay[n];
      assertTrue(rate > 0.99e-4 && rate < 0.101, "rate " + rate);
      logs += Math.log10(rate) / decay.length;
    }
    assertEquals(-2.5, logs, 0.15); // the middle of a log-uniform distribution
  }

  @ParameterizedTest
  @EnumSource
  void runsUnderAutocast(Kind kind) {
    TokenMixer mixer = kind.build(Sites.causal(WIDTH));
    mixer.train(false);
    Tensor x = Tensor.randn(2, 70, WIDTH);
    try (Mode constant = Autograd.noGrad()) {
      Tensor exact = mixer.forward(x, null);
      try (Mode mode = Autograd.autocast(DType.BFLOAT16, true)) {
        Tensor rounded = mixer.forward(x, null).to(DType.FLOAT32);
        assertClose(exact, rounded, 0.03 * exact.abs().max().item());
      }
    }
  }

  /** All but long convolutions keep a state whose size does not grow. */
  @Test
  void statesDoNotGrow() {
    for (Kind kind : new Kind[] {Kind.LSTM, Kind.RETENTION, Kind.S4D, Kind.DLR, Kind.LMU}) {
      TokenMixer mixer = kind.build(Sites.causal(WIDTH));
      try (Mode mode = Autograd.noGrad();
          TokenMixer.State state = mixer.start(2, 60)) {
        mixer.step(Tensor.randn(2, 1, WIDTH), state);
        long bytes = state.bytes();
        mixer.step(Tensor.randn(2, 59, WIDTH), state);
        assertEquals(bytes, state.bytes(), kind.toString());
        assertThrows(UnsupportedOperationException.class, () -> state.truncate(3));
        assertThrows(IllegalArgumentException.class, () -> state.truncate(-1));
      }
    }
  }

  /** Rotary positions make retention's products depend on distances only. */
  @Test
  void retentionTakesRotaryPositionsAndNoBiases() {
    int d = WIDTH / 2;
    TokenMixer mixer =
        new Retention.Config(2, 1e-5)
            .build(Sites.causal(WIDTH), new Rope.Config().build(WIDTH, 2, d, 64));
    MixerChecks.streams(mixer, WIDTH);
    var refused =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                new Retention.Config(2, 1e-5)
                    .build(Sites.causal(WIDTH), new Alibi.Config().build(WIDTH, 2, d, 64)));
    assertTrue(refused.getMessage().contains("biases"), refused.getMessage());
  }

  /** A language model with each mixer is saved, read, and decodes what it computes at once. */
  @ParameterizedTest
  @EnumSource
  void languageModelsComeBackFromDisk(Kind kind, @TempDir Path folder) throws IOException {
    CausalLm.Config config =
        new CausalLm.Config()
            .with(c -> c.vocab(11).length(12))
            .withStack(s -> s.layers(2).width(8).position(new NoPosition.Config()))
            .withBlock(b -> b.mixer(kind.config));
    CausalLm model = config.build();
    Models.save(model, folder);
    CausalLm loaded = (CausalLm) Models.load(folder);
    assertEquals(config, loaded.config());
    Tensor ids = Tensor.of(new long[] {1, 7, 5, 2, 3, 10, 4, 6}).unsqueeze(0);
    try (Mode mode = Autograd.inference();
        CausalLm.Decoding decoding = loaded.decode(1, 12)) {
      Tensor logits = model.logits(ids);
      assertClose(logits, loaded.logits(ids), 0);
      decoding.next(ids.narrow(1, 0, 3));
      assertClose(logits.narrow(1, 3, 5), decoding.all(ids.narrow(1, 3, 5)), 1e-5);
    }
    model.close();
    loaded.close();
  }

  @Test
  void refusesSizesThatCannotBe() {
    assertThrows(IllegalArgumentException.class, () -> new S4d.Config(5));
    assertThrows(IllegalArgumentException.class, () -> new S4d.Config(0));
    assertThrows(IllegalArgumentException.class, () -> new Dlr.Config(0));
    assertThrows(IllegalArgumentException.class, () -> new Hyena.Config(1, 4, 4, 10));
    assertThrows(IllegalArgumentException.class, () -> new Lstm.Config(-1));
    assertThrows(IllegalArgumentException.class, () -> new Retention.Config(0, 1e-5));
  }
}
