package dev.jformer.mixer.linear;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.mixer.NaiveFlow;
import dev.jformer.mixer.NaiveLinearAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionAccess;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.Alibi;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What linear attention and Flow-Attention have in common. */
@ExtendWith(Scoped.class)
class KernelAttentionTest {
  enum Kind {
    LINEAR,
    FLOW;

    TokenMixer.Config config(int heads) {
      return this == LINEAR ? new LinearAttention.Config(heads) : new FlowAttention.Config(heads);
    }

    TokenMixer build(BlockContext context, int heads) {
      return build(context, heads, new NoPosition.Config());
    }

    TokenMixer build(BlockContext context, int heads, Position.Config position) {
      int width = context.width();
      return config(heads)
          .build(context, position.build(width, heads, width / heads, context.length()));
    }

    Naive naive(int heads, boolean causal) {
      return this == LINEAR
          ? new NaiveLinearAttention(heads, causal)
          : new NaiveFlow(heads, causal);
    }
  }

  @ParameterizedTest
  @EnumSource
  void matchesTheDefinition(Kind kind) {
    int[][] shapes = {{1, 1, 2}, {1, 5, 3}, {2, 1, 6}, {2, 7, 6}, {3, 4, 9}};
    for (int[] shape : shapes) {
      int heads = shape[0];
      int length = shape[1];
      int width = shape[2];
      MixerChecks.matches(
          kind.build(Sites.causal(width), heads), kind.naive(heads, true), length, width);
      MixerChecks.matches(
          kind.build(Sites.bidirectional(width), heads), kind.naive(heads, false), length, width);
    }
  }

  /** Sequences of several chunks, with and without an incomplete one. */
  @ParameterizedTest
  @EnumSource
  void matchesTheDefinitionAcrossChunks(Kind kind) {
    for (int length : new int[] {65, 128, 131}) {
      MixerChecks.matches(kind.build(Sites.causal(2), 1), kind.naive(1, true), length, 2);
    }
  }

  /** Enough chunks that their sums are taken in groups. */
  @ParameterizedTest
  @EnumSource
  void singlePrecisionAgreesOnLongSequences(Kind kind) {
    for (boolean causal : new boolean[] {true, false}) {
      TokenMixer mixer = kind.build(causal ? Sites.causal(8) : Sites.bidirectional(8), 2);
      Weights.draw(mixer);
      Tensor x = Tensor.randn(1, 2500, 8);
      Weights weights = Weights.of(mixer);
      mixer.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT32)));
      try (Mode mode = Autograd.noGrad()) {
        assertClose(
            kind.naive(2, causal).forward(ModuleChecks.sequences(x)[0], weights),
            mixer.forward(x, null).squeeze(0),
            2e-5);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void isCausal(Kind kind) {
    MixerChecks.causal(kind.build(Sites.causal(12), 2), 12);
    MixerChecks.causal(kind.build(Sites.causal(6), 1, new Rope.Config()), 6);
  }

  /** Exactly so between chunks, and where the chunks' sums are taken in groups. */
  @ParameterizedTest
  @EnumSource
  void isCausalAcrossChunks(Kind kind) {
    TokenMixer mixer = kind.build(Sites.causal(8), 2);
    int length = 64 * 40 + 3;
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(1, length, 8);
      Tensor y = mixer.forward(x, null);
      for (int t : new int[] {1, 64, 100, 64 * 16, 64 * 33 + 5, length - 1}) {
        Tensor other = Tensor.cat(1, x.narrow(1, 0, t), Tensor.randn(1, length - t, 8).mul(100));
        assertTrue(
            y.narrow(1, 0, t).sameAs(mixer.forward(other, null).narrow(1, 0, t)),
            "outputs before position " + t);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void decodesWhatTheWholeSequenceGives(Kind kind) {
    MixerChecks.streams(kind.build(Sites.causal(12), 2), 12);
    MixerChecks.streams(kind.build(Sites.causal(8), 2, new Rope.Config()), 8);
    MixerChecks.streams(kind.build(Sites.causal(6), 1), 6);
  }

  /** In steps that end inside and between chunks, with weights of ordinary size. */
  @ParameterizedTest
  @EnumSource
  void decodesLongSequences(Kind kind) {
    TokenMixer mixer = kind.build(Sites.causal(8), 2);
    Weights.draw(mixer);
    int[] plan = {70, 1, 64, 200, 1, 1, 163};
    try (Mode mode = Autograd.inference();
        TokenMixer.State state = mixer.start(2, 500)) {
      Tensor x = Tensor.randn(2, 500, 8).to(DType.FLOAT64);
      Tensor[] parts = new Tensor[plan.length];
      int next = 0;
      for (int i = 0; i < plan.length; i++) {
        parts[i] = mixer.step(x.narrow(1, next, plan[i]), state);
        next += plan[i];
      }
      assertClose(mixer.forward(x, null), Tensor.cat(1, parts), 1e-12);
      assertThrows(UnsupportedOperationException.class, () -> state.truncate(3));
    }
  }

  @ParameterizedTest
  @EnumSource
  void rememberedSumsDoNotGrow(Kind kind) {
    TokenMixer mixer = kind.build(Sites.causal(8), 2);
    try (Mode mode = Autograd.noGrad();
        TokenMixer.State state = mixer.start(3, 100)) {
      mixer.step(Tensor.randn(3, 1, 8), state);
      long bytes = state.bytes();
      // For each of 3 x 2 heads of 4 channels, 4 bytes a number.
      long numbers = kind == Kind.LINEAR ? 4 + 4 * 4 : 4 * (4 + 1) + 1 + 4 * 4;
      assertEquals(3 * 2 * numbers * 4, bytes);
      mixer.step(Tensor.randn(3, 99, 8), state);
      assertEquals(bytes, state.bytes());
      assertEquals(100, state.length());
    }
  }

  @ParameterizedTest
  @EnumSource
  void ignoresPadding(Kind kind) {
    MixerChecks.ignoresPadding(kind.build(Sites.causal(12), 2), 12);
    MixerChecks.ignoresPadding(kind.build(Sites.bidirectional(12), 3), 12);
  }

  /** What stands between padding is what stands alone; a sequence of padding only is finite. */
  @ParameterizedTest
  @EnumSource
  void skipsPaddingAnywhere(Kind kind) {
    for (boolean causal : new boolean[] {true, false}) {
      TokenMixer mixer = kind.build(causal ? Sites.causal(6) : Sites.bidirectional(6), 2);
      Weights.draw(mixer);
      boolean[] mask = {false, false, true, false, true, true, false, true, false};
      long[] kept = {2, 4, 5, 7};
      Tensor x = Tensor.randn(1, 9, 6).to(DType.FLOAT64).requiresGrad(true);
      Tensor alone = mixer.forward(x.indexSelect(1, Tensor.of(kept)), null);
      Tensor y = mixer.forward(x, Tensor.of(mask, 1, 9)).indexSelect(1, Tensor.of(kept));
      assertClose(alone.detach(), y.detach(), 1e-10);
      Tensor nothing = mixer.forward(x, Tensor.of(new boolean[9], 1, 9));
      nothing.sum().backward();
      assertTrue(nothing.isFinite().all() && x.grad().isFinite().all());
    }
  }

  /** The matrix of weights, applied to the values, gives the output. */
  @ParameterizedTest
  @EnumSource
  void weightsAreWhatValuesAreTakenBy(Kind kind) {
    boolean[] mask = {true, true, false, true, true, true, false};
    for (boolean causal : new boolean[] {true, false}) {
      TokenMixer mixer = kind.build(causal ? Sites.causal(6) : Sites.bidirectional(6), 2);
      Weights.draw(mixer);
      Tensor x = Tensor.randn(1, 7, 6).to(DType.FLOAT64);
      for (Tensor paddingMask : new Tensor[] {null, Tensor.of(mask, 1, 7)}) {
        Tensor weights = mixer.weights(x, paddingMask);
        Attention attention = (Attention) mixer;
        Tensor values = AttentionAccess.heads(attention, x).value();
        Tensor mixed = weights.matmul(values).transpose(1, 2).flatten(2, 3);
        Linear out = (Linear) mixer.modules().get("out");
        assertClose(mixer.forward(x, paddingMask).detach(), out.forward(mixed).detach(), 1e-10);
        assertTrue(weights.ge(0).all());
        if (causal) {
          assertTrue(weights.sameAs(weights.tril(0)), "nothing from later tokens");
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void staysInSinglePrecisionUnderAutocast(Kind kind) {
    TokenMixer mixer = kind.build(Sites.causal(32), 4);
    mixer
        .parameters()
        .values()
        .forEach(p -> p.copyFrom(Tensor.randn(p.value().shape().toArray()).mul(0.2)));
    Tensor x = Tensor.randn(2, 9, 32);
    try (Mode mode = Autograd.noGrad()) {
      Tensor exact = mixer.forward(x, null);
      try (Mode autocast = Autograd.autocast(DType.BFLOAT16, true);
          TokenMixer.State state = mixer.start(2, 9)) {
        Tensor rounded = mixer.forward(x, null).to(DType.FLOAT32);
        double scale = exact.abs().max().item();
        assertClose(exact, rounded, 0.02 * scale);
        Tensor first = mixer.step(x.narrow(1, 0, 4), state);
        Tensor both = Tensor.cat(1, first, mixer.step(x.narrow(1, 4, 5), state));
        assertClose(rounded, both.to(DType.FLOAT32), 0.02 * scale);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void refusesWhatItCannotDo(Kind kind) {
    var biases =
        assertThrows(
            IllegalArgumentException.class,
            () -> kind.build(Sites.causal(8), 2, new Alibi.Config()));
    assertTrue(biases.getMessage().contains("Alibi"), biases.getMessage());
    var heads = assertThrows(IllegalArgumentException.class, () -> kind.config(0));
    assertTrue(heads.getMessage().contains("heads is 0"), heads.getMessage());
    assertThrows(IllegalArgumentException.class, () -> kind.build(Sites.causal(10), 4));
  }

  @ParameterizedTest
  @EnumSource
  void modelsComeBackFromDisk(Kind kind, @TempDir Path folder) throws IOException {
    CausalLm.Config config =
        new CausalLm.Config()
            .with(c -> c.vocab(11).length(12))
            .withStack(s -> s.layers(2).width(16))
            .withBlock(b -> b.mixer(kind.config(2)));
    String json = Configs.toJson(config);
    assertTrue(json.contains("\"" + kind.name().toLowerCase(Locale.ROOT) + "\""), json);
    CausalLm model = config.build();
    Models.save(model, folder);
    CausalLm loaded = (CausalLm) Models.load(folder);
    assertEquals(config, loaded.config());
    Tensor ids =
        Tensor.of(Stream.iterate(1L, i -> i * 7 % 11).limit(8).mapToLong(i -> i).toArray());
    try (Mode mode = Autograd.inference();
        CausalLm.Decoding decoding = loaded.decode(1, 12)) {
      Tensor logits = model.logits(ids.unsqueeze(0));
      assertClose(logits, loaded.logits(ids.unsqueeze(0)), 0);
      decoding.next(ids.narrow(0, 0, 3).unsqueeze(0));
      assertClose(logits.narrow(1, 3, 5), decoding.all(ids.narrow(0, 3, 5).unsqueeze(0)), 1e-5);
    }
    model.close();
    loaded.close();
  }
}
