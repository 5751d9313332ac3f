package dev.jformer.model;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Parameter;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(Scoped.class)
class DenoisingTranslatorTest {
  private static final int VOCAB = 13;

  private static DenoisingTranslator.Config config(NormPlacement placement, boolean rope) {
    Encoder.Config encoder =
        new Encoder.Config()
            .withVocab(VOCAB)
            .withLength(200)
            .withEmbeddings(new Encoder.Embeddings(new Norm.LayerNormConfig(), 2, -1, -1))
            .withStack(
                s ->
                    s.layers(2)
                        .width(12)
                        .position(rope ? new Rope.Config() : new LearnedPosition.Config()))
            .withBlock(
                b ->
                    b.mixer(new SoftmaxAttention.Config(3, 0))
                        .placement(placement)
                        .bias(true)
                        .dropout(0));
    return new DenoisingTranslator.Config().withEncoder(encoder);
  }

  private static DenoisingTranslator drawn(DenoisingTranslator.Config config) {
    DenoisingTranslator model = Weights.draw(config.build());
    model.train(false);
    return model;
  }

  private static Tensor ids(long batch, long length) {
    return Tensor.randint(0, VOCAB - 2, batch, length);
  }

  private static Tensor mask(int rows, int columns, int... lengths) {
    boolean[] kept = new boolean[rows * columns];
    for (int row = 0; row < rows; row++) {
      for (int t = 0; t < lengths[row]; t++) {
        kept[row * columns + t] = true;
      }
    }
    return Tensor.of(kept, rows, columns);
  }

  /**
   * With an attention to the source that adds nothing, the decoder is the masked language model.
   */
  @ParameterizedTest
  @EnumSource(names = {"PRE", "SANDWICH"})
  void withoutItsSourceTheDecoderIsTheModelItBeganWith(NormPlacement placement) {
    DenoisingTranslator.Config config = config(placement, placement == NormPlacement.PRE);
    try (Mode mode = Autograd.noGrad();
        Encoder mlm = Weights.draw(config.encoder().build());
        DenoisingTranslator model = drawn(config)) {
      mlm.train(false);
      model.copyFrom(mlm);
      for (int layer = 0; layer < 2; layer++) {
        // What is added after a norm of zeros is the norm's bias.
        for (String part :
            new String[] {"cross.out.weight", "cross.out.bias", "crossOutputNorm.bias"}) {
          Parameter parameter = model.parameters().get("target.blocks." + layer + "." + part);
          if (parameter != null) {
            parameter.value().zero_();
          }
        }
      }
      for (int length : new int[] {1, 2, 63, 64, 65, 127, 128, 129, 200}) {
        Tensor draft = ids(2, length);
        Tensor memory = model.encode(ids(2, 7), null);
        Tensor expected = mlm.mlmLogits(draft, null);
        assertClose(expected, model.logits(memory, null, draft, null), 1e-9);
        assertClose(mlm.hidden(draft, null), model.encode(draft, null), 0);
      }
    }
  }

  @Test
  void paddingOfEitherSideChangesNothing() {
    try (Mode mode = Autograd.noGrad();
        DenoisingTranslator model = drawn(config(NormPlacement.PRE, false))) {
      Tensor source = ids(2, 9);
      Tensor draft = ids(2, 8);
      Tensor sourceMask = mask(2, 9, 5, 9);
      Tensor draftMask = mask(2, 8, 8, 3);
      Tensor memory = model.encode(source, sourceMask);
      Tensor logits = model.logits(memory, sourceMask, draft, draftMask);
      Tensor lengths = model.lengthLogits(memory, sourceMask);
      int[] sources = {5, 9};
      int[] drafts = {8, 3};
      for (int row = 0; row < 2; row++) {
        Tensor alone = model.encode(source.narrow(0, row, 1).narrow(1, 0, sources[row]), null);
        Tensor own = draft.narrow(0, row, 1).narrow(1, 0, drafts[row]);
        assertClose(
            model.logits(alone, null, own, null).select(0, 0),
            logits.select(0, row).narrow(0, 0, drafts[row]),
            1e-9);
        assertClose(model.lengthLogits(alone, null).select(0, 0), lengths.select(0, row), 1e-5);
      }
      Tensor places = Tensor.of(new long[] {0, 7, 8, 10}, 4);
      Tensor some = logits.flatten(0, 1).indexSelect(0, places);
      assertClose(
          some,
          model.logitsAt(memory, sourceMask, draft, draftMask, places).to(DType.FLOAT64),
          1e-5);
    }
  }

  @Test
  void everyTokenIsPredictedFromAllTokensAndTheSource() {
    try (Mode mode = Autograd.noGrad();
        DenoisingTranslator model = drawn(config(NormPlacement.PRE, false))) {
      Tensor source = ids(1, 6);
      Tensor draft = ids(1, 6);
      Tensor logits = model.logits(model.encode(source, null), null, draft, null);
      Tensor other = draft.copy();
      other.narrow(1, 5, 1).fill_((draft.narrow(1, 5, 1).item() + 1) % (VOCAB - 2));
      Tensor changed = model.logits(model.encode(source, null), null, other, null);
      assertTrue(changed.sub(logits).abs().select(1, 0).max().item() > 1e-6);
      Tensor elsewhere = model.logits(model.encode(ids(1, 3), null), null, draft, null);
      assertTrue(elsewhere.sub(logits).abs().select(1, 0).max().item() > 1e-6);
    }
  }

  @Test
  void takesTheShapeOfAMaskedLanguageModel() {
    Encoder.Config mlm = config(NormPlacement.POST, true).encoder();
    DenoisingTranslator.Config own =
        new DenoisingTranslator.Config().with(c -> c.decoderLayers(1).unrolled(3));
    DenoisingTranslator.Config begun = own.beginningWith(mlm).orElseThrow();
    assertEquals(own.withEncoder(mlm), begun);
    assertTrue(own.beginningWith(new CausalLm.Config()).isEmpty());
    Encoder.Config headless = mlm.withHead(new Encoder.Head(false, new Norm.LayerNormConfig()));
    assertTrue(own.beginningWith(headless).isEmpty());
    assertThrows(IllegalArgumentException.class, () -> own.withEncoder(mlm.withLabels(2)));
    Encoder.Config causal = mlm.withCausal(true);
    assertThrows(IllegalArgumentException.class, () -> own.beginningWith(causal));
    try (DenoisingTranslator model = begun.build()) {
      assertEquals(1, model.decoderBlocks().size());
      assertEquals(VOCAB - 1, model.end());
      assertEquals(VOCAB - 2, model.words());
    }
  }
}
