package dev.jformer.compress;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.SigmaReparamLinear;
import dev.jformer.nn.quantized.BlockLinear;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
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
class FoldTest {
  private static final Tensor IDS =
      Tensor.of(new long[] {3, 1, 4, 1, 5, 9, 2, 6, 5, 3}, 2, 5).keep();

  @TempDir private Path folder;

  private static CausalLm model(String more) {
    String json =
        "{'model':'causal-lm','layers':2,'width':12,'vocab':10,'length':8,'mixer':{'heads':2},%s}"
            .formatted(more)
            .replace('\'', '"');
    return (CausalLm) Configs.parse(json, Model.Config.class).build();
  }

  private static CausalLm reparametrised(String more) {
    CausalLm model = model("'projection':{'type':'sigma-reparam','gain':'one'}" + more);
    model.parameters().values().stream()
        .filter(p -> p.isTrainable())
        .forEach(p -> p.value().detach().add_(Tensor.randn(p.value().shape().toArray()), 0.3));
    for (int pass = 0; pass < 3; pass++) {
      model.logits(IDS); // as training leaves it: the vectors lag behind the weights
    }
    model.train(false);
    return model;
  }

  /** Rows of whole blocks become integers, others stay floats; a tied table is folded once. */
  @ParameterizedTest
  @CsvSource({"64,true", "64,false", "12,true"})
  void weightsOfFewBitsBecomeFloats(int width, boolean tied) {
    CausalLm.Config config =
        (CausalLm.Config)
            Configs.parse(
                """
                {"model":"causal-lm","layers":2,"width":%d,"vocab":11,"length":8,"tied":%s,
                 "mixer":{"heads":2}}
                """
                    .formatted(width, tied),
                Model.Config.class);
    try (CausalLm plain = config.build();
        CausalLm few = (CausalLm) ModelRebuilder.rounded(plain, new BlockLinear.Config());
        CausalLm folded = Fold.fold(few)) {
      assertEquals(config, folded.config());
      assertEquals(width == 64, few.parameterBytes() < plain.parameterBytes() / 2);
      assertClose(few.logits(IDS), folded.logits(IDS), 1e-5);
      assertClose(plain.logits(IDS), folded.logits(IDS), width == 64 ? 0.03 : 1e-6);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ",'tied':false,'bias':false,'norm':{'type':'none'}",
        ",'ffn':{'type':'gated-mlp'},'norm':{'type':'rms'},'position':{'type':'rope'}"
      })
  void theFoldedModelIsPlainAndEqual(String more) {
    CausalLm model = reparametrised(more);
    Tensor expected = model.logits(IDS);
    CausalLm folded = Fold.fold(model);
    assertEquals(new Linear.Config(), folded.config().projection());
    assertFalse(folded.isTraining());
    assertTrue(folded.modules().values().stream().noneMatch(SigmaReparamLinear.class::isInstance));
    assertClose(expected, folded.logits(IDS), 1e-5);
    CausalLm plain = folded.config().build();
    assertEquals(
        List.copyOf(plain.parameters().keySet()), List.copyOf(folded.parameters().keySet()));
    assertSame(expected, model.logits(IDS), "the original");
  }

  @Test
  void inFloat64ItIsEqualToTwelveDigits() {
    CausalLm model = reparametrised("");
    for (Parameter p : model.parameters().values()) {
      p.replace(p.value().to(DType.FLOAT64));
    }
    CausalLm folded = Fold.fold(model);
    assertEquals(DType.FLOAT64, folded.logits(IDS).dtype());
    assertClose(model.logits(IDS), folded.logits(IDS), 1e-12);
  }

  @Test
  void theFoldedModelOwnsItsWeights() {
    CausalLm model = reparametrised("");
    CausalLm folded = Fold.fold(model);
    Tensor before = folded.logits(IDS).copy();
    model.parameters().values().forEach(p -> p.value().detach().fill_(0.5));
    model.close();
    assertSame(before, folded.logits(IDS), "logits");
  }

  @Test
  void aPlainModelIsCopied() {
    CausalLm model = model("'ffn':{'type':'gated-mlp'}");
    Tensor random = Random.state();
    CausalLm folded = Fold.fold(model);
    assertSame(random, Random.state(), "random state");
    assertNotSame(model, folded);
    assertEquals(model.config(), folded.config());
    model
        .parameters()
        .forEach((name, p) -> assertSame(p.value(), folded.parameters().get(name).value(), name));
  }

  @Test
  void survivesSavingBeforeAndAfter() throws IOException {
    CausalLm model = reparametrised("");
    Models.save(model, folder.resolve("reparametrised"));
    CausalLm loaded =
        assertInstanceOf(CausalLm.class, Models.load(folder.resolve("reparametrised")));
    assertEquals(model.config(), loaded.config());
    assertSame(model.logits(IDS), loaded.logits(IDS), "loaded");
    Models.save(Fold.fold(loaded), folder.resolve("folded"));
    CausalLm folded = (CausalLm) Models.load(folder.resolve("folded"));
    assertClose(model.logits(IDS), folded.logits(IDS), 1e-5);
  }

  @Test
  void modelsChangedByHandAreRefused() {
    CausalLm model = reparametrised("");
    model.replace(
        "blocks.1.mixer.out",
        new SigmaReparamLinear.Config().build(12, 12, false, Initializer.normal(1)));
    var error = assertThrows(IllegalArgumentException.class, () -> Fold.fold(model));
    assertTrue(error.getMessage().contains("lacks [blocks.1.mixer.out.bias]"), error.getMessage());
  }
}
