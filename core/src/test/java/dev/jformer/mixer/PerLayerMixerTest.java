package dev.jformer.mixer;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.model.NormPlacement;
import dev.jformer.position.Alibi;
import dev.jformer.position.PerLayerPosition;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Models whose blocks differ in their mixers and position encodings. */
@ExtendWith(Scoped.class)
class PerLayerMixerTest {
  private static final SoftmaxAttention.Config GLOBAL = new SoftmaxAttention.Config(2, 1);
  private static final SoftmaxAttention.Config LOCAL = GLOBAL.withWindow(3);

  private static CausalLm.Config model(
      List<TokenMixer.Config> mixers, List<dev.jformer.position.Position.Config> positions) {
    return new CausalLm.Config()
        .with(c -> c.vocab(30).length(16))
        .withStack(s -> s.layers(5).width(8).position(PerLayerPosition.of(positions)))
        .withBlock(b -> b.mixer(PerLayerMixer.of(mixers)));
  }

  @Test
  void partsRepeatOverTheBlocks() {
    CausalLm.Config config =
        model(
            List.of(LOCAL, LOCAL, GLOBAL),
            List.of(new Rope.Config(10), new Rope.Config(10), new Rope.Config(9000)));
    try (CausalLm model = config.build()) {
      List<Object> positions =
          model.blocks().stream()
              .<Object>map(
                  block -> ((dev.jformer.mixer.attention.Attention) block.mixer()).position())
              .toList();
      assertEquals(positions.get(0), positions.get(1), "equal encodings are shared");
      assertEquals(positions.get(0), positions.get(3));
      assertTrue(positions.get(0) != positions.get(2));
      // The third block, without a window, passes on what is far away.
      Tensor ids = Tensor.randint(0, 30, 1, 16);
      Tensor other = Tensor.cat(1, ids.narrow(1, 0, 1).add(1).remainder(30), ids.narrow(1, 1, 15));
      try (Mode mode = Autograd.noGrad()) {
        assertTrue(!model.logits(ids).select(1, 15).sameAs(model.logits(other).select(1, 15)));
      }
    }
    // Five blocks with a window of three tokens reach back ten.
    try (CausalLm model = model(List.of(LOCAL), List.of(new Rope.Config())).build();
        Mode mode = Autograd.noGrad()) {
      Weights.draw(model);
      Tensor ids = Tensor.randint(0, 30, 1, 16);
      Tensor other = Tensor.cat(1, ids.narrow(1, 0, 1).add(1).remainder(30), ids.narrow(1, 1, 15));
      assertTrue(model.logits(ids).select(1, 11).sameAs(model.logits(other).select(1, 11)));
      assertTrue(!model.logits(ids).select(1, 10).sameAs(model.logits(other).select(1, 10)));
    }
  }

  @Test
  void decodesAndIsSavedAsOtherModelsAre() {
    for (NormPlacement placement : NormPlacement.values()) {
      CausalLm.Config config =
          model(List.of(LOCAL, GLOBAL), List.of(new Rope.Config(50), new Alibi.Config()))
              .withBlock(b -> b.placement(placement))
              .withEmbeddingScale(3)
              .withLogitCap(0.4);
      assertEquals(config, Configs.parse(Configs.toJson(config), Model.Config.class));
      try (CausalLm model = config.build();
          Mode mode = Autograd.noGrad();
          CausalLm.Decoding decoding = model.decode(2, 16)) {
        model.train(false);
        Tensor ids = Tensor.randint(0, 30, 2, 16);
        Tensor whole = model.logits(ids);
        assertTrue(whole.abs().max().item() < 0.4);
        Tensor first = decoding.all(ids.narrow(1, 0, 9));
        Tensor second = decoding.all(ids.narrow(1, 9, 7));
        assertClose(whole, Tensor.cat(1, first, second), 1e-5);
      }
    }
  }

  @Test
  void headsMustFitTogether() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> PerLayerMixer.of(List.of(GLOBAL, new SoftmaxAttention.Config(4, 0))))
            .getMessage();
    assertEquals("heads is [2, 4]: expected the same number in all blocks", message);
    assertThrows(IllegalArgumentException.class, () -> new PerLayerMixer.Config(List.of()));
    assertThrows(IllegalArgumentException.class, () -> new PerLayerPosition.Config(List.of()));
    assertEquals(GLOBAL, PerLayerMixer.of(List.of(GLOBAL, GLOBAL)));
  }
}
