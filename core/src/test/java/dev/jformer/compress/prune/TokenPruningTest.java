package dev.jformer.compress.prune;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.mixer.reduction.TokenMerging;
import dev.jformer.mixer.reduction.TokenReducingAttention;
import dev.jformer.mixer.reduction.ZeroTprune;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class TokenPruningTest {
  @TempDir private Path folder;

  private static Model model(String json) {
    Model model = Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
    model.train(false);
    return model;
  }

  private static VisionTransformer vit(String pool) {
    return (VisionTransformer)
        model(
            "{'model':'vit','layers':4,'width':32,'size':16,'patch':2,'pool':'"
                + pool
                + "','mixer':{'heads':2}}");
  }

  private static Encoder encoder() {
    return (Encoder)
        model(
            "{'model':'encoder','layers':3,'width':32,'vocab':40,'length':24,"
                + "'mixer':{'heads':2},'head':{'fillsIn':false}}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"mean", "token"})
  void aVisionTransformerComputesLess(String pool) throws IOException {
    VisionTransformer vit = vit(pool);
    ImageModel thin =
        (ImageModel) new TokenPruning(List.of(), 0.7, new ZeroTprune()).apply(vit, null);
    Tensor images = Tensor.rand(3, 3, 16, 16);
    double before = Flops.of(() -> vit.logits(images));
    double after = Flops.of(() -> thin.logits(images));
    // From the middle of block 1 on 45 of 64 tokens are left, from that of block 2 on 32.
    assertTrue(after < 0.87 * before && after > 0.6 * before, after / before + "");
    Models.save(thin, folder);
    assertSame(thin.logits(images), ((ImageModel) Models.load(folder)).logits(images), "loaded");
    vit.parameters()
        .forEach((name, p) -> assertSame(p.value(), thin.parameters().get(name).value(), name));
    for (int i = 0; i < 3; i++) {
      assertClose(thin.logits(images).narrow(0, i, 1), thin.logits(images.narrow(0, i, 1)), 1e-4);
    }
  }

  @Test
  void canBeChangedWithoutTraining() {
    VisionTransformer vit = vit("token");
    Tensor images = Tensor.rand(2, 3, 16, 16);
    Model once = new TokenPruning().apply(vit, null);
    VisionTransformer all =
        (VisionTransformer) new TokenPruning(List.of(), 1, new TokenMerging()).apply(once, null);
    assertEquals(
        new TokenReducingAttention.Config(2, 0, List.of(1, 2), 1, true, new TokenMerging()),
        all.config().mixer());
    assertClose(vit.logits(images), all.logits(images), 1e-5);
  }

  @Test
  void aTextIsEmbeddedAsItWouldBeAlone() {
    Encoder thin =
        (Encoder) new TokenPruning(List.of(), 0.6, new ZeroTprune()).apply(encoder(), null);
    Tensor ids = Tensor.randint(0, 38, 2, 20);
    boolean[] flags = new boolean[40];
    for (int t = 0; t < 20; t++) {
      flags[t] = true;
      flags[20 + t] = t < 9;
    }
    Tensor together = thin.pooled(ids, Tensor.of(flags, 2, 20));
    assertClose(thin.pooled(ids.narrow(0, 0, 1), null).select(0, 0), together.select(0, 0), 1e-4);
    Tensor shorter = ids.narrow(0, 1, 1).narrow(1, 0, 9);
    assertClose(thin.pooled(shorter, null).select(0, 0), together.select(0, 1), 1e-4);
    assertEquals(12, thin.hidden(ids, null).size(1));
  }

  @Test
  void refusesModelsWhoseTokensMustStay() {
    assertRefused(
        "vit or encoder",
        model("{'model':'causal-lm','layers':2,'width':32,'vocab':40,'length':8}"));
    assertRefused(
        "masked language model",
        model("{'model':'encoder','layers':2,'width':32,'vocab':40,'length':8}"));
    assertRefused(
        "not 'linear'",
        model(
            "{'model':'encoder','layers':2,'width':32,'vocab':40,'labels':2,'length':8,"
                + "'mixer':{'type':'linear'}}"));
  }

  private static void assertRefused(String part, Model model) {
    var error = assertThrows(RuntimeException.class, () -> new TokenPruning().apply(model, null));
    assertTrue(error.getMessage().contains(part), error.getMessage());
  }
}
