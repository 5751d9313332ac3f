package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.model.CausalLm;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The loss of a language model on held-out text, in windows that may overlap. */
@ExtendWith(Scoped.class)
class WindowsOfTextTest {
  @TempDir private Path folder;

  private TokenFile tokens(int count) throws IOException {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append((char) ('a' + i * i % 7 + i % 5));
    }
    Path file = Files.writeString(folder.resolve("text.txt"), text);
    return TokenFile.prepare(
        folder.resolve("tokens"), Corpus.open(file, List.of()), new ByteTokenizer(), 1, n -> {});
  }

  private static CausalLm model(int vocab) {
    Random.seed(5);
    CausalLm model =
        new CausalLm.Config()
            .withVocab(vocab)
            .withLength(32)
            .withStack(s -> s.layers(1).width(16).position(new Rope.Config()))
            .build();
    model.train(false);
    return model;
  }

  /** Each token's loss after its context alone, one by one. */
  private static double naive(CausalLm model, TokenFile tokens, int window, int stride) {
    Tensor ids = tokens.validation().to(DType.INT64);
    int targets = (int) ids.size(0) - 1;
    double sum = 0;
    int end = 0;
    for (int target = 0; target < targets; target++) {
      if (target == end) {
        end = end == 0 ? Math.min(window, targets) : Math.min(targets, end + stride);
      }
      int start = Math.max(0, end - window);
      Tensor context = ids.narrow(0, start, target + 1 - start).unsqueeze(0);
      Tensor last = model.logits(context).select(1, target - start);
      sum += Functional.crossEntropy(last, ids.narrow(0, target + 1, 1), -1, 0).item();
    }
    return sum / targets;
  }

  @Test
  void eachTokenHasTheContextOfItsWindow() throws IOException {
    try (Mode mode = Autograd.noGrad();
        CausalLm model = model(256);
        TokenFile tokens = tokens(151)) {
      for (int window : new int[] {1, 2, 16, 32, 64}) {
        for (int stride : new int[] {1, 3, 16, 31, 64}) {
          if (stride <= window) {
            double expected = naive(model, tokens, window, stride);
            if (stride == window) {
              // The last window is shorter there, instead of overlapping.
              expected = LanguageModelling.evaluate(model, tokens, 1, window, window, 1000);
            }
            double found = LanguageModelling.evaluate(model, tokens, 3, window, stride, 1000);
            assertEquals(expected, found, 1e-5, window + " by " + stride);
          }
        }
      }
      double apart = LanguageModelling.evaluate(model, tokens, 3, 32, 32, 1000);
      assertEquals(LanguageModelling.evaluate(model, tokens, 3, 1000), apart, 0);
    }
  }

  @Test
  void eachTokenButTheFirstCountsOnce() throws IOException {
    try (TokenFile tokens = tokens(100)) {
      for (int stride : new int[] {1, 2, 7, 8}) {
        long[] counted = new long[1];
        HeldOut.read(
            tokens,
            3,
            8,
            stride,
            1000,
            batch -> counted[0] += (long) batch.targets().ge(0).to(DType.INT64).sum().item());
        assertEquals(99, counted[0]);
      }
      assertThrows(
          IllegalArgumentException.class, () -> HeldOut.read(tokens, 3, 8, 9, 1000, batch -> {}));
      assertThrows(
          IllegalArgumentException.class, () -> HeldOut.read(tokens, 3, 8, 0, 1000, batch -> {}));
    }
  }

  /** Where no gradient is recorded, some logits at a time give what all at once give. */
  @Test
  void logitsInPiecesGiveTheSameLoss() {
    int vocab = 400_000; // 41 positions at a time
    try (CausalLm model = model(vocab)) {
      Tensor ids = Tensor.randint(0, vocab, 5, 21);
      Tensor targets = Tensor.randint(-1, vocab, 5, 21);
      double all = model.loss(ids, targets).item();
      try (Mode mode = Autograd.noGrad()) {
        Tensor pieces = model.loss(ids, targets);
        assertEquals(all, pieces.item(), 1e-5);
        assertEquals(DType.FLOAT32, pieces.dtype());
        Tensor none = Tensor.full(-1, DType.INT64, 5, 21);
        assertTrue(Double.isNaN(model.loss(ids, none).item()));
      }
    }
  }
}
