package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.data.label.LabelledSequence;
import dev.jformer.metrics.EntityScores;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.TokenLabeller;
import dev.jformer.program.LabelKind;
import dev.jformer.program.LabelScheme;
import dev.jformer.program.Lexicon;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class SequenceLabellingTest {
  private static final int VOCAB = 12;
  private static final List<String> TAGS = List.of("B-x", "I-x", "O");

  private static LabelScheme scheme(LabelKind kind) {
    List<String> tokens = new ArrayList<>(Lexicon.SPECIAL);
    IntStream.range(0, VOCAB - tokens.size()).forEach(i -> tokens.add("word" + i));
    return new LabelScheme(tokens, TAGS, 9, false, kind);
  }

  /** Each token has logits of its own, whatever stands around it. */
  private static TokenLabeller table(float... logits) {
    Tensor table = Tensor.of(logits, VOCAB, TAGS.size());
    return (ids, mask) ->
        table.indexSelect(0, ids.flatten(0, 1)).view(ids.size(0), ids.size(1), TAGS.size());
  }

  private static float[] random(SplittableRandom random) {
    float[] logits = new float[VOCAB * TAGS.size()];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) (6 * random.nextDouble() - 3);
    }
    return logits;
  }

  private static double entropy(double[] logits, int label) {
    double sum = Arrays.stream(logits).map(Math::exp).sum();
    return Math.log(sum) - logits[label];
  }

  /** The label of a text follows from the mean of its tokens' logits; padding does not count. */
  @Test
  void textsAreLabelledByTheMean() {
    SplittableRandom random = new SplittableRandom(1);
    float[] logits = random(random);
    List<LabelledSequence> texts = new ArrayList<>();
    double loss = 0;
    int right = 0;
    for (int i = 0; i < 40; i++) {
      int[] tokens = random.ints(1 + random.nextInt(8), 0, VOCAB).toArray();
      int label = random.nextInt(TAGS.size());
      texts.add(new LabelledSequence(tokens, new int[] {label}));
      double[] mean = new double[TAGS.size()];
      for (int token : tokens) {
        for (int k = 0; k < mean.length; k++) {
          mean[k] += logits[token * TAGS.size() + k] / tokens.length;
        }
      }
      loss += entropy(mean, label) / 40;
      double highest = Arrays.stream(mean).max().orElseThrow();
      right += mean[label] == highest ? 1 : 0;
    }
    Metrics metrics = SequenceLabelling.evaluate(table(logits), scheme(LabelKind.TEXTS), texts);
    assertEquals(right / 40.0, metrics.primary().value(), 1e-9);
    assertEquals(Metric.ACCURACY, metrics.primary().name());
    assertEquals(loss, metrics.get(Metric.LOSS), 1e-5);
  }

  /** An entity that is cut by the end of a piece counts as one. */
  @Test
  void piecesOfSentencesAreJoined() {
    float[] logits = new float[VOCAB * TAGS.size()];
    int[] labelOf = {2, 2, 2, 2, 2, 2, 2, 0, 1, 2, 2, 2};
    for (int token = 0; token < VOCAB; token++) {
      logits[token * TAGS.size() + labelOf[token]] = 2;
    }
    List<LabelledSequence> pieces =
        List.of(
            new LabelledSequence(new int[] {0, 9, 7}, new int[] {-1, 2, 0}),
            new LabelledSequence(new int[] {0, 8, 8}, new int[] {-1, 1, 1}, true),
            new LabelledSequence(new int[] {0, 8, 9, 7}, new int[] {-1, 2, 2, 0}));
    LabelScheme scheme = scheme(LabelKind.WORDS);
    Metrics metrics = SequenceLabelling.evaluate(table(logits), scheme, pieces);
    // Right: the entity of three words, and one of one word; a third one is none.
    assertEquals(2 * 1 * (2.0 / 3) / (1 + 2.0 / 3), metrics.get(EntityScores.F1), 1e-9);
    assertEquals(6.0 / 7, metrics.get(Metric.ACCURACY), 1e-9);
    assertEquals(EntityScores.F1, metrics.primary().name());
    double[] one = {2, 0, 0};
    assertEquals((6 * entropy(one, 0) + entropy(one, 1)) / 7, metrics.get(Metric.LOSS), 1e-5);
  }

  @Test
  void tokensAreCounted() {
    float[] logits = random(new SplittableRandom(2));
    List<LabelledSequence> sequences =
        List.of(
            new LabelledSequence(new int[] {1, 2, 3}, new int[] {0, -1, 1}),
            new LabelledSequence(new int[] {4}, new int[] {2}));
    int[] best = new int[VOCAB];
    for (int token = 0; token < VOCAB; token++) {
      for (int k = 1; k < TAGS.size(); k++) {
        best[token] = logits[token * 3 + k] > logits[token * 3 + best[token]] ? k : best[token];
      }
    }
    int first = (best[1] == 0 ? 1 : 0) + (best[3] == 1 ? 1 : 0);
    int second = best[4] == 2 ? 1 : 0;
    Metrics metrics =
        SequenceLabelling.evaluate(table(logits), scheme(LabelKind.TOKENS), sequences);
    assertEquals((first + second) / 3.0, metrics.get(Metric.ACCURACY), 1e-9);
    assertEquals(((first == 2 ? 1 : 0) + second) / 2.0, metrics.get(SequenceLabelling.WHOLE), 1e-9);
  }
}
