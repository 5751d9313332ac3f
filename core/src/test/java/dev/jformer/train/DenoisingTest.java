package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.text.TextBatch;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class DenoisingTest {
  private static final int TOKENS = 9;

  private static Encoder encoder(boolean causal) {
    Random.seed(2);
    Encoder encoder =
        new Encoder.Config()
            .with(c -> c.vocab(TOKENS + 2).length(140).labels(3).causal(causal))
            .withStack(s -> s.layers(1).width(8))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(2, 0)).dropout(0))
            .build();
    for (var parameter : encoder.parameters().values()) {
      if (parameter.value().rank() == 2) {
        parameter.replace(parameter.value().mul(20).detach());
      }
    }
    encoder.train(false);
    return encoder;
  }

  private static List<int[]> texts(int... lengths) {
    SplittableRandom random = new SplittableRandom(4);
    List<int[]> texts = new ArrayList<>();
    for (int length : lengths) {
      texts.add(random.ints(length, 0, TOKENS).toArray());
    }
    return texts;
  }

  private static TextClassification task(Encoder encoder, List<int[]> texts) {
    List<TextClassification.Example> examples = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      examples.add(new TextClassification.Example(texts.get(i), i % 3));
    }
    return new TextClassification(
        encoder, texts.size(), index -> examples, texts.size(), examples, "texts");
  }

  /** -log softmax of one of the logits. */
  private static double surprise(double[] logits, int token) {
    double sum = 0;
    for (double logit : logits) {
      sum += Math.exp(logit - logits[token]);
    }
    return Math.log(sum);
  }

  /** The logits of each text alone, without padding. */
  private static double[][] logits(Encoder encoder, int[] ids) {
    double[] flat = encoder.mlmLogits(TextBatch.of(List.of(ids), 0).ids(), null).toDoubles();
    double[][] rows = new double[ids.length][];
    int vocab = flat.length / ids.length;
    for (int t = 0; t < rows.length; t++) {
      rows[t] = java.util.Arrays.copyOfRange(flat, t * vocab, (t + 1) * vocab);
    }
    return rows;
  }

  @Test
  void nextTokensArePredictedFromThoseBefore() {
    Encoder encoder = encoder(true);
    List<int[]> texts = texts(1, 2, 63, 65, 129);
    Task task = new Denoising(Denoising.Kind.CAUSAL, 0.5).of(task(encoder, texts));
    double sum = 0;
    int count = 0;
    try (Mode mode = Autograd.noGrad()) {
      for (int[] text : texts) {
        double[][] logits = logits(encoder, text);
        for (int t = 0; t + 1 < text.length; t++) {
          sum += surprise(logits[t], text[t + 1]);
          count++;
        }
      }
      assertEquals(sum / count, task.loss(0).item(), 1e-4);
      assertEquals(sum / count, task.evaluate().loss(), 1e-4);
    }
  }

  @Test
  void aCausalEncoderSeesNoLaterToken() {
    Encoder encoder = encoder(true);
    int[] text = texts(20).get(0);
    int[] other = text.clone();
    other[12] = (text[12] + 1) % TOKENS;
    try (Mode mode = Autograd.noGrad()) {
      double[][] before = logits(encoder, text);
      double[][] after = logits(encoder, other);
      for (int t = 0; t < 12; t++) {
        org.junit.jupiter.api.Assertions.assertArrayEquals(before[t], after[t], 0);
      }
      assertTrue(Math.abs(before[12][0] - after[12][0]) > 0);
    }
  }

  @Test
  void maskedTokensAreRestoredFromAllOthers() {
    Encoder encoder = encoder(false);
    List<int[]> texts = texts(1, 2, 63, 65, 129);
    Denoising objective = new Denoising(Denoising.Kind.MASKED, 0.3);
    Task task = objective.of(task(encoder, texts));
    try (Mode mode = Autograd.noGrad()) {
      Random.seed(11);
      double found = task.loss(0).item();
      Random.seed(11);
      boolean[][] hidden = new boolean[texts.size()][129];
      double[] drawn = Tensor.rand(texts.size() * 129L).toDoubles();
      double sum = 0;
      int count = 0;
      int all = 0;
      for (int i = 0; i < texts.size(); i++) {
        int[] shown = texts.get(i).clone();
        for (int t = 0; t < shown.length; t++) {
          hidden[i][t] = drawn[i * 129 + t] < 0.3;
          shown[t] = hidden[i][t] ? (int) encoder.mask() : shown[t];
        }
        double[][] logits = logits(encoder, shown);
        for (int t = 0; t < shown.length; t++) {
          all++;
          if (hidden[i][t]) {
            sum += surprise(logits[t], texts.get(i)[t]);
            count++;
          }
        }
      }
      assertEquals(0.3, (double) count / all, 0.08);
      assertEquals(sum / count, found, 1e-4);
    }
  }

  /** Every evaluation hides the same tokens, and leaves the random state as it was. */
  @Test
  void evaluationsAreAlike() {
    Encoder encoder = encoder(false);
    Task task = new Denoising().of(task(encoder, texts(40, 50, 60)));
    try (Mode mode = Autograd.noGrad()) {
      Random.seed(1);
      double first = task.evaluate().loss();
      double next = Tensor.rand(1).item();
      Random.seed(1);
      assertEquals(next, Tensor.rand(1).item());
      assertEquals(first, task.evaluate().loss());
      assertTrue(task.loss(0).item() != task.loss(0).item(), "batches hide others each time");
    }
  }

  @Test
  void refusesWhatItDoesNotSuit() {
    TextClassification both = task(encoder(false), texts(4, 5, 6));
    String causal = refused(() -> new Denoising(Denoising.Kind.CAUSAL, 0.5).of(both));
    assertTrue(causal.contains("model.causal"), causal);
    String other = refused(() -> new Denoising().of(new OtherTask(both)));
    assertTrue(other.contains("classification of texts"), other);
    assertThrows(IllegalArgumentException.class, () -> new Denoising(Denoising.Kind.MASKED, 0));
    assertThrows(IllegalArgumentException.class, () -> new Denoising(Denoising.Kind.MASKED, 1));
    Task ofOne = new Denoising(Denoising.Kind.CAUSAL, 0.5).of(task(encoder(true), texts(1, 1, 1)));
    String one = refused(() -> ofOne.loss(0));
    assertTrue(one.contains("longer ones"), one);
  }

  private static String refused(org.junit.jupiter.api.function.Executable body) {
    return assertThrows(IllegalArgumentException.class, body).getMessage();
  }

  private static final class OtherTask extends ForwardingTask {
    private final Task task;

    OtherTask(Task task) {
      super(task);
      this.task = task;
    }

    @Override
    public Tensor loss(long index) {
      return task.loss(index);
    }
  }
}
