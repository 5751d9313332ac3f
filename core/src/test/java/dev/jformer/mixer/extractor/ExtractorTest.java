package dev.jformer.mixer.extractor;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.mixer.NaiveExtractor;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.ModuleChecks;
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
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class ExtractorTest {
  private static final List<String> TYPES = List.of("she", "he", "we", "me");

  @TempDir private Path folder;

  private static BlockContext site(int width, int length, boolean bias) {
    return new BlockContext(
        width, 0, 2, length, true, bias, 0, new BlockContext.Init(), new Linear.Config());
  }

  private static TokenMixer.Config config(String type) {
    return Configs.parse("{\"type\": \"" + type + "\"}", TokenMixer.Config.class);
  }

  private static TokenMixer extractor(String type, BlockContext context) {
    Position none =
        new NoPosition.Config().build(context.width(), 1, context.width(), context.length());
    return config(type).build(context, none);
  }

  @ParameterizedTest
  @CsvSource({
    "she, 1, 2, 1",
    "she, 5, 3, 8",
    "she, 16, 2, 16",
    "she, 37, 2, 40",
    "he, 1, 2, 1",
    "he, 5, 3, 8",
    "he, 67, 2, 70",
    "we, 1, 2, 1",
    "we, 5, 3, 8",
    "we, 67, 2, 70",
    "me, 1, 2, 1",
    "me, 5, 3, 8",
    "me, 67, 2, 70"
  })
  void matchesTheDefinition(String type, int tokens, int width, int length) {
    NaiveExtractor naive = new NaiveExtractor(type, null);
    MixerChecks.matches(extractor(type, site(width, length, true)), naive, tokens, width);
    MixerChecks.matches(extractor(type, site(width, length, false)), naive, tokens, width);
  }

  @ParameterizedTest
  @CsvSource({"she, 301, 8", "he, 901, 8", "we, 901, 8", "me, 1301, 8"})
  void singlePrecisionAgreesOnLongSequences(String type, int tokens, int width) {
    TokenMixer mixer = Weights.draw(extractor(type, site(width, tokens, true)));
    Weights weights = Weights.of(mixer);
    mixer.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT32)));
    Tensor x = Tensor.randn(1, tokens, width);
    double[][] expected =
        new NaiveExtractor(type, null).forward(ModuleChecks.sequences(x)[0], weights);
    assertClose(expected, mixer.forward(x, null).squeeze(0), 2e-5);
  }

  @ParameterizedTest
  @ValueSource(strings = {"she", "he", "we", "me"})
  void isCausalToTheBit(String type) {
    MixerChecks.causal(extractor(type, Sites.causal(8)), 8);
    TokenMixer mixer = extractor(type, site(8, 1200, true));
    int tokens = type.equals("me") ? 1100 : 150;
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(1, tokens, 8);
      Tensor y = mixer.forward(x, null);
      for (int t : new int[] {1, 16, tokens / 2 - 1, tokens / 2, tokens - 20, tokens - 1}) {
        Tensor other = Tensor.cat(1, x.narrow(1, 0, t), Tensor.randn(1, tokens - t, 8).mul(1e4));
        Tensor changed = mixer.forward(other, null);
        assertTrue(y.narrow(1, 0, t).sameAs(changed.narrow(1, 0, t)), type + " before " + t);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"she", "he", "we", "me"})
  void decodesWhatTheWholeSequenceGives(String type) {
    MixerChecks.streams(extractor(type, Sites.causal(8)), 8);
    MixerChecks.streams(extractor(type, site(5, 21, false)), 5);
  }

  @ParameterizedTest
  @ValueSource(strings = {"she", "he", "we", "me"})
  void ignoresPadding(String type) {
    MixerChecks.ignoresPadding(extractor(type, Sites.causal(8)), 8);
  }

  @ParameterizedTest
  @ValueSource(strings = {"she", "he", "we", "me"})
  void paddingIsNeitherSummedNorCounted(String type) {
    TokenMixer mixer = Weights.draw(extractor(type, site(4, 30, true)));
    Tensor x = Tensor.randn(1, 25, 4).to(DType.FLOAT64);
    boolean[] keep = new boolean[25];
    for (int t = 0; t < keep.length; t++) {
      keep[t] = t % 3 != 0 && t != 10;
    }
    double[][] expected =
        new NaiveExtractor(type, keep).forward(ModuleChecks.sequences(x)[0], Weights.of(mixer));
    assertClose(expected, mixer.forward(x, Tensor.of(keep, 1, 25)).squeeze(0), 1e-9);
    // Padding before a sequence moves it, and that is all.
    boolean[] last = new boolean[25];
    java.util.Arrays.fill(last, 9, 25, true);
    assertClose(
        mixer.forward(x.narrow(1, 9, 16), null),
        mixer.forward(x, Tensor.of(last, 1, 25)).narrow(1, 9, 16),
        1e-9);
  }

  @ParameterizedTest
  @CsvSource({"she, 10*36+2*36", "he, 10*6+3*36", "we, 10*6+2*36", "me, 10*1+2*36"})
  void hasAsManyWeightsAsItSays(String type, String formula) {
    long expected = 0;
    for (String product : formula.split("\\+", -1)) {
      String[] factors = product.split("\\*", -1);
      expected += Long.parseLong(factors[0]) * Long.parseLong(factors[1]);
    }
    assertEquals(expected, extractor(type, site(6, 10, false)).parameterCount());
  }

  /** With variance-preserving weights, what is extracted is as large as the tokens everywhere. */
  @ParameterizedTest
  @ValueSource(strings = {"she", "he", "we", "me"})
  void extractionKeepsTheSizeOfTokens(String type) {
    Extractor mixer = (Extractor) extractor(type, site(64, 256, false));
    Tensor sums = mixer.extract(Tensor.randn(8, 256, 64));
    for (int t : new int[] {8, 64, 256}) {
      double size = Math.sqrt(sums.select(1, t - 1).square().mean().item()) / Math.sqrt(t);
      assertTrue(size > 0.5 && size < 2, type + " at " + t + ": " + size);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"she", "he", "we", "me"})
  void refusesWhatItCannotDo(String type) {
    var bidirectional =
        assertThrows(IllegalArgumentException.class, () -> extractor(type, Sites.bidirectional(8)));
    assertTrue(bidirectional.getMessage().contains("causal"), bidirectional.getMessage());
    TokenMixer mixer = extractor(type, site(8, 10, true));
    var tooLong =
        assertThrows(
            IllegalArgumentException.class, () -> mixer.forward(Tensor.randn(1, 11, 8), null));
    assertTrue(
        tooLong.getMessage().contains("11") && tooLong.getMessage().contains("10"),
        tooLong.getMessage());
    try (Mode mode = Autograd.noGrad();
        TokenMixer.State state = mixer.start(1, 100)) {
      mixer.step(Tensor.randn(1, 9, 8), state);
      assertEquals(10 * 8 * 4, state.bytes(), "room for the longest sequence, no more");
      assertThrows(IllegalArgumentException.class, () -> mixer.step(Tensor.randn(1, 2, 8), state));
      assertEquals(9, state.length(), "a refused step leaves the state as it was");
      mixer.step(Tensor.randn(1, 1, 8), state);
      assertThrows(IllegalArgumentException.class, () -> state.truncate(-1));
    }
    try (Mode mode = Autograd.noGrad();
        TokenMixer.State state = mixer.start(1, 3)) {
      assertThrows(IllegalArgumentException.class, () -> mixer.step(Tensor.randn(1, 4, 8), state));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"she", "he", "we", "me"})
  void worksInOtherPrecisions(String type) {
    TokenMixer mixer = extractor(type, site(16, 40, true));
    mixer
        .parameters()
        .values()
        .forEach(p -> p.copyFrom(Tensor.randn(p.value().shape().toArray()).mul(0.25)));
    Tensor x = Tensor.randn(2, 35, 16);
    try (Mode mode = Autograd.noGrad()) {
      Tensor exact = mixer.forward(x, null);
      double scale = exact.abs().max().item();
      try (Mode autocast = Autograd.autocast(DType.BFLOAT16, true);
          TokenMixer.State state = mixer.start(2, 35)) {
        Tensor rounded = mixer.forward(x, null);
        assertEquals(DType.BFLOAT16, rounded.dtype());
        assertClose(exact, rounded.to(DType.FLOAT32), 0.02 * scale);
        Tensor steps =
            Tensor.cat(
                1, mixer.step(x.narrow(1, 0, 30), state), mixer.step(x.narrow(1, 30, 5), state));
        assertClose(exact, steps.to(DType.FLOAT32), 0.02 * scale);
        assertTrue(Autograd.isAutocast(), "the mixer's own mode has ended");
      }
      mixer.parameters().values().forEach(p -> p.replace(p.value().to(DType.BFLOAT16)));
      try (TokenMixer.State state = mixer.start(2, 35)) {
        Tensor low = x.to(DType.BFLOAT16);
        Tensor steps =
            Tensor.cat(
                1,
                mixer.step(low.narrow(1, 0, 30), state),
                mixer.step(low.narrow(1, 30, 5), state));
        assertEquals(DType.BFLOAT16, steps.dtype());
        assertClose(exact, steps.to(DType.FLOAT32), 0.04 * scale);
        assertClose(exact, mixer.forward(low, null).to(DType.FLOAT32), 0.04 * scale);
      }
    }
  }

  private static CausalLm.Config model(String type) {
    return new CausalLm.Config()
        .with(c -> c.vocab(20).length(24))
        .withStack(s -> s.layers(2).width(12))
        .withBlock(b -> b.mixer(config(type)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"she", "he", "we", "me"})
  void modelsAreSavedLoadedAndDecoded(String type) throws IOException {
    CausalLm.Config config = model(type);
    assertEquals(config, Configs.parse(Configs.toJson(config), Model.Config.class));
    try (CausalLm model = config.build()) {
      Models.save(model, folder);
      try (CausalLm loaded = (CausalLm) Models.load(folder);
          Mode mode = Autograd.noGrad()) {
        model.train(false);
        Tensor ids = Tensor.randint(0, 20, 2, 24);
        Tensor logits = model.logits(ids);
        assertTrue(logits.sameAs(loaded.logits(ids)), "the loaded model gives the same");
        try (CausalLm.Decoding decoding = loaded.decode(2, 24)) {
          decoding.next(ids.narrow(1, 0, 10));
          decoding.next(ids.narrow(1, 3, 6));
          decoding.truncate(10);
          for (int t = 10; t < 24; t++) {
            assertClose(logits.select(1, t), decoding.next(ids.narrow(1, t, 1)), 1e-5);
          }
        }
      }
    }
  }

  @Test
  void learnsToRepeatTheTokenBefore() {
    // What is asked for stands at distance one: no map of the current token alone tells it.
    for (String type : TYPES) {
      try (CausalLm model = model(type).build()) {
        double first = 0;
        double last = 0;
        for (int step = 0; step < 60; step++) {
          try (dev.jformer.tensor.Scope scope = dev.jformer.tensor.Scope.open()) {
            Tensor ids = Tensor.randint(0, 4, 16, 24);
            Tensor targets = Tensor.cat(1, ids.narrow(1, 0, 1), ids.narrow(1, 0, 23));
            Tensor loss = model.loss(ids, targets);
            model.clearGrads();
            loss.backward();
            for (var parameter : model.trained()) {
              try (Mode mode = Autograd.noGrad()) {
                parameter.value().add_(parameter.value().grad().sign().mul(-0.01));
              }
            }
            last = loss.item();
            first = step == 0 ? last : first;
          }
        }
        assertTrue(last < 0.6 * first, type + ": loss from " + first + " to " + last);
        assertFalse(Double.isNaN(last));
      }
    }
  }
}
