package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.data.text.Batch;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.model.CausalLm;
import dev.jformer.model.RecurrenceConfig;
import dev.jformer.model.RecurrentLm;
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
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Held-out text read as streams, and the loss of a model that carries a state along them. */
@ExtendWith(Scoped.class)
class StreamsOfTextTest {
  @TempDir private Path folder;

  private TokenFile tokens(int count) throws IOException {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append((char) ('a' + i * i % 7 + i % 5));
    }
    Path file = Files.writeString(folder.resolve("text" + count + ".txt"), text);
    return TokenFile.prepare(
        folder.resolve("tokens" + count),
        Corpus.open(file, List.of()),
        new ByteTokenizer(),
        1,
        n -> {});
  }

  private static RecurrentLm model(int vocab, int window) {
    Random.seed(5);
    RecurrentLm model =
        new RecurrentLm.Config(
                new CausalLm.Config()
                    .withVocab(vocab)
                    .withLength(64)
                    .withStack(s -> s.layers(2).width(16)),
                new RecurrenceConfig().with(r -> r.window(window).slots(2)))
            .build();
    model.train(false);
    return model;
  }

  @Test
  void rowsContinueThoseOfTheBatchBefore() throws IOException {
    for (int count : new int[] {2, 3, 63, 64, 65, 127, 128, 129, 200}) {
      try (TokenFile tokens = tokens(count)) {
        long[] ids = tokens.validation().to(DType.INT64).toLongs();
        for (int streams : new int[] {1, 2, 3, 7}) {
          for (int window : new int[] {1, 5, 16, 64, 300}) {
            List<List<Long>> inputs = new ArrayList<>();
            HeldOut.streams(
                tokens, streams, window, Long.MAX_VALUE, batch -> append(batch, window, inputs));
            int rows = inputs.size();
            int targets = ids.length - 1;
            assertTrue(rows <= streams && (rows == streams || targets / window <= rows), "rows");
            int each = targets / rows;
            for (int row = 0; row < rows; row++) {
              assertEquals(each, inputs.get(row).size());
              for (int i = 0; i < each; i++) {
                assertEquals(ids[row * each + i], inputs.get(row).get(i));
              }
            }
          }
        }
      }
    }
  }

  private static void append(Batch batch, int window, List<List<Long>> inputs) {
    long width = batch.inputs().size(1);
    assertTrue(width >= 1 && width <= window);
    for (int row = 0; row < batch.inputs().size(0); row++) {
      if (inputs.size() == row) {
        inputs.add(new ArrayList<>());
      }
      long[] ids = batch.inputs().select(0, row).toLongs();
      long[] next = batch.targets().select(0, row).toLongs();
      for (int i = 0; i < width; i++) {
        inputs.get(row).add(ids[i]);
        if (i + 1 < width) {
          assertEquals(ids[i + 1], next[i]);
        }
      }
    }
  }

  @Test
  void aLimitReadsTheBeginningOfTheText() throws IOException {
    try (TokenFile tokens = tokens(200)) {
      List<List<Long>> inputs = new ArrayList<>();
      HeldOut.streams(tokens, 2, 16, 3, batch -> append(batch, 16, inputs));
      assertEquals(48, inputs.get(0).size());
      long[] ids = tokens.validation().to(DType.INT64).toLongs();
      assertEquals(ids[48], inputs.get(1).get(0));
    }
    try (TokenFile one = tokens(1)) {
      assertThrows(DataException.class, () -> HeldOut.streams(one, 1, 4, 1, batch -> {}));
    }
  }

  /** One stream is the whole text at once. */
  @Test
  void theLossOfAStreamIsThatOfTheWholeText() throws IOException {
    try (Mode mode = Autograd.noGrad();
        TokenFile tokens = tokens(201)) {
      Tensor ids = tokens.validation().to(DType.INT64).unsqueeze(0);
      for (int window : new int[] {1, 7, 16, 63, 64}) {
        try (RecurrentLm model = model(256, window)) {
          Tensor logits = model.logits(ids.narrow(1, 0, 200)).flatten(0, 1);
          Tensor targets = ids.narrow(1, 1, 200).flatten(0, 1);
          double expected = Functional.crossEntropy(logits, targets, -1, 0).item();
          double found = RecurrentModelling.evaluate(model, tokens, 1, window, 1000, s -> s);
          assertEquals(expected, found, 1e-5, "window " + window);
          double alone = RecurrentModelling.evaluate(model, tokens, 1, window, 1000, s -> null);
          double plain = LanguageModelling.evaluate(model.lm(), tokens, 1, window, window, 1000);
          assertEquals(plain, alone, 1e-5, "window " + window);
        }
      }
    }
  }

  @Test
  void streamsSideBySideDoNotSeeEachOther() throws IOException {
    try (Mode mode = Autograd.noGrad();
        TokenFile tokens = tokens(191);
        RecurrentLm model = model(256, 16)) {
      Tensor ids = tokens.validation().to(DType.INT64);
      double sum = 0;
      for (int row = 0; row < 2; row++) {
        Tensor stream = ids.narrow(0, row * 95L, 96).unsqueeze(0);
        Tensor logits = model.logits(stream.narrow(1, 0, 95)).flatten(0, 1);
        sum += Functional.crossEntropy(logits, stream.narrow(1, 1, 95).flatten(0, 1), -1, 0).item();
      }
      double found = RecurrentModelling.evaluate(model, tokens, 2, 16, 1000, s -> s);
      assertEquals(sum / 2, found, 1e-5);
    }
  }
}
