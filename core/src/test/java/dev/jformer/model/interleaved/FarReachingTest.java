package dev.jformer.model.interleaved;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.NoChannels;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.position.Sinusoidal;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class FarReachingTest {
  private static FarReaching.Config small(String layout, int group, int latents) {
    return new FarReaching.Config()
        .with(
            c ->
                c.layout(layout)
                    .group(group)
                    .latents(latents)
                    .latentHeads(2)
                    .local(new SoftmaxAttention.Config(2, 0))
                    .ffn(new Mlp.Config(Activation.GELU, 1, 0)));
  }

  private static TokenMixer build(FarReaching.Config config, boolean causal, int width) {
    BlockContext context =
        new BlockContext(
            width, 0, 1, 256, causal, true, 0, new BlockContext.Init(), new Linear.Config());
    return Weights.draw(config.build(context, new NoPosition()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void outputAndGradientsAreThoseOfPlainLoops(boolean causal) {
    FarReaching.Config config = small("(1)1(1)", 3, 2).with(c -> c.latentWidth(6));
    BlockContext context =
        new BlockContext(
            4, 0, 1, 12, causal, true, 0, new BlockContext.Init(), new Linear.Config());
    MixerChecks.matches(
        config.build(context, new NoPosition()), new NaiveFit(config, causal, 2, 0), 11, 4);
  }

  /** Lengths around and beyond groups, and more groups than attention takes at once. */
  @ParameterizedTest
  @CsvSource({"(1)2(1)1(2), 8, 3", "(2)4(2), 64, 4", "(0)1, 1, 1", "(1), 5, 2", "(1)1, 2, 300"})
  void outputIsThatOfPlainLoops(String layout, int group, int latents) {
    FarReaching.Config config = small(layout, group, latents).with(c -> c.latentWidth(8));
    int[] lengths = latents > 100 ? new int[] {7} : new int[] {1, 2, 8, 9, 63, 64, 65, 129, 200};
    for (boolean causal : new boolean[] {true, false}) {
      TokenMixer mixer = build(config, causal, 4);
      Weights weights = Weights.of(mixer);
      NaiveFit naive = new NaiveFit(config, causal, 2, 0);
      for (int length : lengths) {
        Tensor x = Tensor.randn(1, length, 4).to(DType.FLOAT64);
        double[][] expected = naive.forward(ModuleChecks.sequences(x)[0], weights);
        try (Mode mode = Autograd.noGrad()) {
          assertClose(expected, mixer.forward(x, null).squeeze(0), 1e-10);
        }
      }
      inFloat32(mixer);
      Tensor x = Tensor.randn(1, lengths[lengths.length - 1], 4);
      double[][] expected = naive.forward(ModuleChecks.sequences(x)[0], Weights.of(mixer));
      assertClose(expected, mixer.forward(x, null).squeeze(0), 1e-3);
    }
  }

  private static TokenMixer inFloat32(TokenMixer mixer) {
    mixer.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT32)));
    return mixer;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void paddedSequencesAreThoseOfPlainLoops(boolean causal) {
    FarReaching.Config config = small("(1)1(1)1(1)", 4, 2);
    TokenMixer mixer = build(config, causal, 4);
    Weights weights = Weights.of(mixer);
    int length = 18;
    for (int padded : new int[] {1, 3, 7, 17}) {
      Tensor x = Tensor.randn(1, length, 4).to(DType.FLOAT64);
      Tensor mask = Tensor.arange(0, length).lt((long) length - padded).unsqueeze(0);
      double[][] expected =
          new NaiveFit(config, causal, 2, padded).forward(ModuleChecks.sequences(x)[0], weights);
      double[][] kept = java.util.Arrays.copyOf(expected, length - padded);
      assertClose(kept, mixer.forward(x, mask).squeeze(0).narrow(0, 0, length - padded), 1e-10);
    }
  }

  @Test
  void holdsTheLawsOfMixers() {
    for (FarReaching.Config config :
        List.of(
            small("(1)1(1)1(1)", 4, 2),
            small("(1)2", 1, 3).with(c -> c.latentPosition(new Sinusoidal.Config())),
            small("(1)1(1)", 8, 2)
                .with(c -> c.position(new Rope.Config()).latentPosition(new Rope.Config())))) {
      MixerChecks.causal(inFloat32(build(config, true, 8)), 8);
      MixerChecks.streams(inFloat32(build(config, true, 8)), 8, 1e-4);
      MixerChecks.ignoresPadding(inFloat32(build(config, true, 8)), 8);
      MixerChecks.ignoresPadding(inFloat32(build(config, false, 8)), 8);
    }
  }

  /** What holds for attention in groups holds for any mixer that can be causal. */
  @Test
  void localLayersMayHaveAnyMixer() {
    for (String local : List.of("{\"type\":\"lstm\"}", "{\"type\":\"convolution\",\"size\":3}")) {
      FarReaching.Config config =
          small("(1)1(1)", 4, 2).with(c -> c.local(Configs.parse(local, TokenMixer.Config.class)));
      MixerChecks.streams(inFloat32(build(config, true, 8)), 8, 1e-4);
    }
  }

  private static CausalLm.Config language(String layout) {
    return new CausalLm.Config()
        .with(c -> c.vocab(11).length(64))
        .withStack(
            new CausalLm.Config()
                .stack()
                .with(s -> s.layers(1).width(8).position(new NoPosition.Config()))
                .withBlock(
                    new CausalLm.Config()
                        .block()
                        .with(
                            b ->
                                b.firstNorm(false)
                                    .ffn(new NoChannels.Config())
                                    .mixer(small(layout, 4, 2)))));
  }

  /** No gradient of a prediction flows to what comes later; one flows to the far past. */
  @Test
  void predictionsReachTheFarPastAndNothingLater() {
    CausalLm model = Weights.draw(language("(1)1(1)1(1)").build());
    int length = 30;
    Tensor x = Tensor.randn(1, length, 8).to(DType.FLOAT64).requiresGrad(true);
    TokenMixer mixer = model.blocks().get(0).mixer();
    for (int i = 0; i < length; i++) {
      x.clearGrad();
      mixer.forward(x, null).select(1, i).square().sum().backward();
      double[] size = x.grad().abs().sum(2, false).toDoubles();
      for (int j = 0; j < length; j++) {
        if (j > i) {
          assertEquals(0, size[j], "gradient of token " + j + " for token " + i);
        } else {
          assertTrue(size[j] > 1e-9, "token " + i + " does not see token " + j + ": " + size[j]);
        }
      }
    }
  }

  /** The layers of groups alone see no other group. */
  @Test
  void localLayersAloneStayInTheirGroup() {
    TokenMixer mixer = build(small("(3)", 4, 2), false, 8);
    Tensor x = Tensor.randn(1, 12, 8).to(DType.FLOAT64).requiresGrad(true);
    mixer.forward(x, null).select(1, 5).square().sum().backward();
    double[] size = x.grad().abs().sum(2, false).toDoubles();
    for (int j = 0; j < 12; j++) {
      assertEquals(j / 4 == 1, size[j] > 0, "token " + j);
    }
  }

  @Test
  void decodingRepeatsTheLogitsOfWholeSequences() {
    CausalLm model = Weights.draw(language("(1)1(1)1(1)").build());
    Tensor ids = Tensor.randint(0, 11, 2, 37);
    try (Mode mode = Autograd.inference();
        CausalLm.Decoding decoding = model.decode(2, 64)) {
      Tensor whole = model.logits(ids);
      Tensor prompt = decoding.all(ids.narrow(1, 0, 13));
      assertClose(whole.narrow(1, 0, 13), prompt, 1e-9);
      for (int t = 13; t < 37; t++) {
        assertClose(whole.select(1, t), decoding.next(ids.narrow(1, t, 1)), 1e-9);
        assertClose(model.logits(ids.narrow(1, 0, t + 1)).select(1, t), whole.select(1, t), 1e-9);
      }
    }
  }

  @Test
  void tokensOfTheLastTwoGroupsCanBeDropped() {
    TokenMixer mixer = build(small("(1)1(1)1(1)", 4, 2), true, 8);
    Tensor x = Tensor.randn(1, 23, 8).to(DType.FLOAT64);
    Tensor wrong = Tensor.randn(1, 23, 8).to(DType.FLOAT64);
    Tensor whole = mixer.forward(x, null);
    for (int back = 8; back < 15; back++) {
      try (TokenMixer.State state = mixer.start(1, 23)) {
        mixer.step(x.narrow(1, 0, back), state);
        mixer.step(wrong.narrow(1, 0, 15 - back), state);
        state.truncate(back);
        assertEquals(back, state.length());
        Tensor rest = mixer.step(x.narrow(1, back, 23 - back), state);
        assertClose(whole.narrow(1, back, 23 - back), rest, 1e-10);
        UnsupportedOperationException refused =
            assertThrows(UnsupportedOperationException.class, () -> state.truncate(15));
        assertTrue(refused.getMessage().contains("15 of 23"), refused.getMessage());
        assertEquals(23, state.length());
        assertThrows(IllegalArgumentException.class, () -> state.truncate(-1));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "2", "4(2)", "(2)0(2)", "(2)(2)", "(0)", "(2)4(2", "(-1)2", "(2)x(2)"})
  void refusesLayoutsThatAreNone(String layout) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> small(layout, 4, 2)).getMessage();
    assertTrue(message.contains("layout is") && message.contains("expected"), message);
  }

  @Test
  void refusesWhatDoesNotFit() {
    FarReaching.Config config = small("(1)1(1)", 4, 2);
    assertTrue(
        refusal(() -> build(config.with(c -> c.latentHeads(3)), true, 8))
            .contains("latentHeads is 3: expected a divisor of the width 8"));
    assertTrue(refusal(() -> config.with(c -> c.group(0))).contains("group is 0"));
    assertTrue(refusal(() -> config.with(c -> c.latents(0))).contains("latents is 0"));
    TokenMixer mixer = build(config, true, 8);
    Tensor longer = Tensor.randn(1, 261, 8).to(DType.FLOAT64);
    assertTrue(refusal(() -> mixer.forward(longer, null)).contains("more than 256 tokens"));
    Position.Config endless = new Sinusoidal.Config();
    TokenMixer extrapolating = build(config.with(c -> c.latentPosition(endless)), true, 8);
    assertEquals(261, extrapolating.forward(longer, null).size(1));
  }

  private static String refusal(Runnable body) {
    return assertThrows(IllegalArgumentException.class, body::run).getMessage();
  }
}
