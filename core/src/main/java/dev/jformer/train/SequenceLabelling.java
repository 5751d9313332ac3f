package dev.jformer.train;

import dev.jformer.data.label.LabelBatch;
import dev.jformer.data.label.LabelledSequence;
import dev.jformer.data.label.LabelledSequences;
import dev.jformer.metrics.EntityScores;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.model.TokenLabeller;
import dev.jformer.program.LabelKind;
import dev.jformer.program.LabelScheme;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The task of giving each token of a sequence its label, or the sequence as a whole. A label of the
 * whole sequence is chosen by the mean of the logits of its tokens.
 *
 * @param <M> the family of the model
 */
public final class SequenceLabelling<M extends Model & TokenLabeller> implements Classifying {
  /** The metric that says what share of sequences has all labels right. */
  public static final String WHOLE = "whole sequences";

  private static final int ROWS = 512;

  private final Class<M> family;
  private final M model;
  private final LabelledSequences sequences;

  /** Creates a task. */
  public SequenceLabelling(Class<M> family, M model, LabelledSequences sequences) {
    this.family = family;
    this.model = model;
    this.sequences = sequences;
  }

  @Override
  public Passes<M> passes(long index) {
    boolean whole = sequences.scheme().kind() == LabelKind.TEXTS;
    LabelBatch batch = LabelBatch.of(sequences.training(index), whole);
    Tensor targets = batch.targets().flatten(0, 1);
    return new Passes<>(
        family,
        model,
        labeller -> logits(labeller, batch, whole).flatten(0, 1),
        logits -> Functional.crossEntropy(logits, targets, -1, 0));
  }

  /** Logits [B, T, labels], or [B, 1, labels] of whole sequences. */
  private static Tensor logits(TokenLabeller model, LabelBatch batch, boolean whole) {
    Tensor all = model.logits(batch.ids(), batch.paddingMask()).to(DType.FLOAT32);
    if (!whole) {
      return all;
    }
    if (batch.paddingMask() == null) {
      return all.mean(1, true);
    }
    Tensor mask = batch.paddingMask().to(DType.FLOAT32).unsqueeze(2);
    return all.mul(mask).sum(1, true).div(mask.sum(1, true));
  }

  @Override
  public long unitsPerBatch() {
    return sequences.batch();
  }

  @Override
  public String unit() {
    return unit(sequences.scheme().kind());
  }

  /** What a sequence is called, in the plural. */
  public static String unit(LabelKind kind) {
    return switch (kind) {
      case TOKENS -> "sequences";
      case WORDS -> "sentences";
      case TEXTS -> "texts";
    };
  }

  /** The sequences that are learned from and evaluated on. */
  public LabelledSequences sequences() {
    return sequences;
  }

  /**
   * Measures the share of right labels, that of wholly right sequences, and the cross-entropy; of
   * words the F1 of entities instead of the second.
   */
  @Override
  public Metrics evaluate() {
    return evaluate(model, sequences.scheme(), sequences.heldOut());
  }

  /** Measures a model on sequences; see {@link #evaluate()}. */
  public static Metrics evaluate(
      TokenLabeller model, LabelScheme scheme, List<LabelledSequence> sequences) {
    boolean whole = scheme.kind() == LabelKind.TEXTS;
    double loss = 0;
    long count = 0;
    List<int[]> given = new ArrayList<>();
    for (int from = 0; from < sequences.size(); from += ROWS) {
      List<LabelledSequence> some =
          sequences.subList(from, Math.min(sequences.size(), from + ROWS));
      try (Scope scope = Scope.open()) {
        LabelBatch batch = LabelBatch.of(some, whole);
        Tensor all = logits(model, batch, whole);
        loss +=
            Functional.crossEntropyEach(all.flatten(0, 1), batch.targets().flatten(0, 1), -1)
                .sum()
                .item();
        long[] best = all.argmax(2).flatten(0, 1).toLongs();
        int width = best.length / some.size();
        for (int row = 0; row < some.size(); row++) {
          int start = row * width;
          int[] labels = new int[some.get(row).labels().length];
          Arrays.setAll(labels, i -> (int) best[start + i]);
          given.add(labels);
        }
        count += batch.count();
      }
    }
    double mean = loss / count;
    return switch (scheme.kind()) {
      case TOKENS ->
          counts(sequences, given).with(Metric.lower(Metric.LOSS, mean, "nats per label"));
      case WORDS ->
          entities(scheme, sequences, given)
              .metrics()
              .with(Metric.lower(Metric.LOSS, mean, "nats per word"));
      case TEXTS ->
          Metrics.of(
              counts(sequences, given).primary(), Metric.lower(Metric.LOSS, mean, "nats per text"));
    };
  }

  private static Metrics counts(List<LabelledSequence> sequences, List<int[]> given) {
    long right = 0;
    long count = 0;
    long wholly = 0;
    for (int row = 0; row < given.size(); row++) {
      int[] labels = sequences.get(row).labels();
      boolean all = true;
      for (int i = 0; i < labels.length; i++) {
        if (labels[i] != LabelledSequence.NONE) {
          boolean same = labels[i] == given.get(row)[i];
          right += same ? 1 : 0;
          count++;
          all &= same;
        }
      }
      wholly += all ? 1 : 0;
    }
    return Metrics.of(
        Metric.higher(Metric.ACCURACY, (double) right / count, ""),
        Metric.higher(WHOLE, (double) wholly / sequences.size(), ""));
  }

  /**
   * Scores the entities that labels of words mark. Pieces of a sentence are joined before.
   *
   * @param given a label for each token of each sequence
   */
  public static EntityScores entities(
      LabelScheme scheme, List<LabelledSequence> sequences, List<int[]> given) {
    EntityScores scores = new EntityScores();
    List<String> gold = new ArrayList<>();
    List<String> predicted = new ArrayList<>();
    for (int row = 0; row < sequences.size(); row++) {
      LabelledSequence sequence = sequences.get(row);
      if (!sequence.continues()) {
        scores.add(gold, predicted);
        gold = new ArrayList<>();
        predicted = new ArrayList<>();
      }
      for (int i = 0; i < sequence.labels().length; i++) {
        if (sequence.labels()[i] != LabelledSequence.NONE) {
          gold.add(scheme.labels().get(sequence.labels()[i]));
          predicted.add(scheme.labels().get(given.get(row)[i]));
        }
      }
    }
    scores.add(gold, predicted);
    return scores;
  }
}
