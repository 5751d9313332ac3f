package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.text.DenoisingBatch;
import dev.jformer.data.text.TokenPair;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.DenoisingTranslator;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class DenoisingTranslationTest {
  private static final int VOCAB = 12;
  private static final int END = VOCAB - 1;

  private static DenoisingTranslator model(int unrolled) {
    Random.seed(3);
    Encoder.Config encoder =
        new Encoder.Config()
            .withVocab(VOCAB)
            .withLength(40)
            .withStack(s -> s.layers(1).width(12))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(3, 0)).bias(true).dropout(0));
    return Weights.draw(
        new DenoisingTranslator.Config().withEncoder(encoder).withUnrolled(unrolled).build());
  }

  private static TokenPair pair(int source, int target) {
    int[] from = new int[source];
    int[] to = new int[target];
    for (int i = 0; i < source - 1; i++) {
      from[i] = (7 * i + source) % (VOCAB - 2);
    }
    for (int i = 0; i < target - 1; i++) {
      to[i] = (3 * i * i + target) % (VOCAB - 2);
    }
    from[source - 1] = END;
    to[target - 1] = END;
    return new TokenPair(from, to);
  }

  private static List<TokenPair> pairs() {
    return List.of(pair(4, 6), pair(7, 3), pair(2, 1), pair(9, 9));
  }

  /** -log p of a token, from logits. */
  private static double loss(double[] logits, long token, double smoothing) {
    double highest = Double.NEGATIVE_INFINITY;
    for (double logit : logits) {
      highest = Math.max(highest, logit);
    }
    double sum = 0;
    for (double logit : logits) {
      sum += Math.exp(logit - highest);
    }
    double all = highest + Math.log(sum);
    double even = 0;
    for (double logit : logits) {
      even += (all - logit) / logits.length;
    }
    return (1 - smoothing) * (all - logits[(int) token]) + smoothing * even;
  }

  /** Logits of each pair alone, without padding, of the tokens of all. */
  private static List<double[]> logits(DenoisingTranslator model, List<long[]> drafts) {
    List<double[]> all = new ArrayList<>();
    for (int i = 0; i < drafts.size(); i++) {
      int[] from = pairs().get(i).source();
      Tensor memory = model.encode(Tensor.of(from, 1, from.length).to(DType.INT64), null);
      Tensor draft = Tensor.of(drafts.get(i), 1, drafts.get(i).length);
      Tensor logits = model.logits(memory, null, draft, null).select(0, 0);
      for (int t = 0; t < drafts.get(i).length; t++) {
        all.add(logits.select(0, t).toDoubles());
      }
    }
    return all;
  }

  private static List<long[]> rows(Tensor draft) {
    List<long[]> rows = new ArrayList<>();
    for (int i = 0; i < pairs().size(); i++) {
      rows.add(draft.select(0, i).narrow(0, 0, pairs().get(i).target().length).toLongs());
    }
    return rows;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void theUnrolledLossIsTheMeanOfThatOfEachStep(int unrolled) {
    for (double smoothing : new double[] {0, 0.1}) {
      try (Mode mode = Autograd.noGrad();
          DenoisingTranslator model = model(unrolled)) {
        model.train(false);
        DenoisingBatch batch = DenoisingBatch.of(pairs(), END);
        Tensor memory = model.encode(batch.source(), batch.sourceMask());
        Random.seed(11);
        List<Tensor> found = DenoisingTranslation.losses(model, memory, batch, smoothing);
        Random.seed(11);
        Tensor draft = batch.corrupted(VOCAB - 2);
        assertEquals(unrolled, found.size());
        for (Tensor step : found) {
          List<double[]> logits = logits(model, rows(draft));
          double sum = 0;
          int at = 0;
          for (TokenPair pair : pairs()) {
            for (int token : pair.target()) {
              sum += loss(logits.get(at++), token, smoothing);
            }
          }
          assertEquals(sum / at, step.item(), 1e-5);
          draft = drawn(batch, logits);
        }
      }
    }
  }

  /** The next draft, drawn with the engine's numbers from probabilities of the reference. */
  private static Tensor drawn(DenoisingBatch batch, List<double[]> logits) {
    float[] flat = new float[logits.size() * VOCAB];
    for (int i = 0; i < logits.size(); i++) {
      for (int v = 0; v < VOCAB; v++) {
        flat[i * VOCAB + v] = (float) logits.get(i)[v];
      }
    }
    Tensor ids = Tensor.of(flat, logits.size(), VOCAB).softmax(1).multinomial(1, false);
    long[] drawn = ids.toLongs();
    long[] whole = batch.target().flatten(0, 1).toLongs();
    int at = 0;
    int columns = (int) batch.target().size(1);
    for (int i = 0; i < pairs().size(); i++) {
      for (int t = 0; t < pairs().get(i).target().length; t++) {
        whole[i * columns + t] = drawn[at++];
      }
    }
    return Tensor.of(whole, pairs().size(), columns);
  }

  /** No gradient flows through what was drawn, and none of the length's to the encoder. */
  @Test
  void gradientsAreThoseOfTheStepsAlone() {
    try (DenoisingTranslator model = model(2)) {
      DenoisingTranslation task =
          new DenoisingTranslation(model, pairs(), pairs(), 1000, 100, 0, 1);
      DenoisingBatch batch = task.batch(0);
      Random.seed(5);
      task.loss(0).backward();
      double[] found =
          model.parameters().get("trunk.blocks.0.mixer.qkv.weight").value().grad().toDoubles();
      double[] length = model.parameters().get("lengthHead.weight").value().grad().toDoubles();
      assertTrue(java.util.Arrays.stream(length).anyMatch(g -> g != 0));
      model.clearGrads();
      Random.seed(5);
      Tensor memory = model.encode(batch.source(), batch.sourceMask());
      Tensor first = batch.corrupted(VOCAB - 2);
      Tensor logits = at(model, memory, batch, first);
      Tensor second;
      try (Mode mode = Autograd.noGrad()) {
        second = batch.with(logits.softmax(1).multinomial(1, false).squeeze(1));
      }
      Tensor again = at(model, memory, batch, second);
      Functional.crossEntropy(Tensor.cat(0, logits, again), batch.targets().repeat(2), -1, 0)
          .backward();
      double[] expected =
          model.parameters().get("trunk.blocks.0.mixer.qkv.weight").value().grad().toDoubles();
      assertArrayEquals(expected, found, 1e-6);
    }
  }

  private static Tensor at(
      DenoisingTranslator model, Tensor memory, DenoisingBatch batch, Tensor draft) {
    return model.logitsAt(memory, batch.sourceMask(), draft, batch.targetMask(), batch.places());
  }

  @Test
  void batchesKeepLengthsAndPadding() {
    DenoisingBatch batch = DenoisingBatch.of(pairs(), END);
    assertArrayEquals(new long[] {6, 3, 1, 9}, batch.lengths().toLongs());
    assertEquals(19, batch.tokens());
    long[] targets = batch.targets().toLongs();
    int at = 0;
    for (int i = 0; i < pairs().size(); i++) {
      for (int t = 0; t < pairs().get(i).target().length; t++) {
        assertEquals(9L * i + t, batch.places().toLongs()[at]);
        assertEquals(pairs().get(i).target()[t], targets[at++]);
      }
    }
    for (int draw = 0; draw < 20; draw++) {
      Tensor corrupted = batch.corrupted(VOCAB - 2);
      for (int i = 0; i < pairs().size(); i++) {
        long[] row = corrupted.select(0, i).toLongs();
        for (int t = pairs().get(i).target().length; t < 9; t++) {
          assertEquals(END, row[t]);
        }
      }
    }
    DenoisingBatch even = DenoisingBatch.of(List.of(pair(3, 4), pair(3, 4)), END);
    assertEquals(null, even.targetMask());
    assertEquals(8, even.tokens());
  }

  /** Shares of wrong tokens are uniform from 0 to 1, and the wrong ones uniform over the ids. */
  @Test
  void corruptionIsUniformInItsShareAndItsTokens() {
    Random.seed(2);
    int words = 8;
    int rows = 2000;
    int length = 400;
    int[] text = new int[length]; // zeros: a token that is another was replaced
    List<TokenPair> pairs = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      pairs.add(new TokenPair(new int[] {0}, text));
    }
    Tensor corrupted = DenoisingBatch.of(pairs, END).corrupted(words);
    double[] shares = corrupted.gt(0L).to(DType.FLOAT64).mean(1, false).toDoubles();
    double[] deciles = new double[10];
    for (double share : shares) {
      double drawn = share / (1 - 1.0 / words); // a replaced token is its own once in so many
      deciles[(int) Math.min(9, 10 * drawn)] += 1.0 / rows;
    }
    for (int decile = 0; decile < 10; decile++) {
      // Five standard deviations of a share of 2000 draws, and what the noise of a row moves.
      assertEquals(0.1, deciles[decile], 0.035, "decile " + decile);
    }
    Map<Long, Integer> counts = new TreeMap<>();
    int changed = 0;
    for (long id : corrupted.flatten(0, 1).toLongs()) {
      counts.merge(id, 1, Integer::sum);
      changed += id == 0 ? 0 : 1;
    }
    assertEquals(words, counts.size());
    for (long id = 1; id < words; id++) {
      assertEquals(1.0 / (words - 1), (double) counts.get(id) / changed, 0.005, "id " + id);
    }
  }

  @Test
  void evaluationsCorruptTheSameTokensAndLeaveTheRandomStateAlone() {
    try (DenoisingTranslator model = model(2)) {
      Random.seed(1);
      double first = DenoisingTranslation.evaluate(model, pairs()).loss();
      double next = Tensor.rand(1).item();
      Random.seed(1);
      assertEquals(Tensor.rand(1).item(), next);
      assertEquals(first, DenoisingTranslation.evaluate(model, pairs()).loss());
      assertTrue(model.isTraining());
    }
  }
}
