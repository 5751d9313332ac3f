package dev.jformer.train;

import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.Examples;
import dev.jformer.data.algorithm.LabelBatch;
import dev.jformer.data.algorithm.Labelling;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.model.TokenLabeller;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * The task of giving each token of a made sequence its label.
 *
 * @param <M> the family of the model
 */
public final class SequenceLabelling<M extends Model & TokenLabeller> implements Classifying {
  /** The metric that says what share of sequences has all labels right. */
  public static final String WHOLE = "whole sequences";

  private static final int ROWS = 512;

  private final Class<M> family;
  private final M model;
  private final Labelling problem;
  private final Examples examples;
  private final List<Example> heldOut;

  /**
   * Creates a task.
   *
   * @param heldOut number of examples to evaluate on
   */
  public SequenceLabelling(
      Class<M> family, M model, Labelling problem, Examples examples, int heldOut) {
    this.family = family;
    this.model = model;
    this.problem = problem;
    this.examples = examples;
    this.heldOut = examples.heldOut(heldOut);
  }

  @Override
  public Passes<M> passes(long index) {
    LabelBatch batch = LabelBatch.of(problem, examples.training(index));
    Tensor targets = batch.targets().flatten(0, 1);
    return new Passes<>(
        family,
        model,
        labeller ->
            labeller.logits(batch.ids(), batch.paddingMask()).flatten(0, 1).to(DType.FLOAT32),
        logits -> Functional.crossEntropy(logits, targets, -1, 0));
  }

  @Override
  public long unitsPerBatch() {
    return examples.batch();
  }

  @Override
  public String unit() {
    return "sequences";
  }

  /** The examples that are evaluated on. */
  public List<Example> heldOut() {
    return heldOut;
  }

  /** The number of different examples to train on; 0 if there is no end of them. */
  public int samples() {
    return examples.samples();
  }

  /** Measures the share of right labels, that of wholly right sequences, and the cross-entropy. */
  @Override
  public Metrics evaluate() {
    return evaluate(model, problem, heldOut);
  }

  /** Measures a model on examples; see {@link #evaluate()}. */
  public static Metrics evaluate(TokenLabeller model, Labelling problem, List<Example> examples) {
    double loss = 0;
    double right = 0;
    double whole = 0;
    long count = 0;
    for (int from = 0; from < examples.size(); from += ROWS) {
      List<Example> some = examples.subList(from, Math.min(examples.size(), from + ROWS));
      try (Scope scope = Scope.open()) {
        LabelBatch batch = LabelBatch.of(problem, some);
        Tensor all = model.logits(batch.ids(), batch.paddingMask()).to(DType.FLOAT32);
        Tensor targets = batch.targets();
        loss +=
            Functional.crossEntropyEach(all.flatten(0, 1), targets.flatten(0, 1), -1).sum().item();
        Tensor wrong =
            all.argmax(2).eq(targets).not().and(targets.ge(0L)).to(DType.FLOAT32).sum(1, false);
        right += batch.count() - wrong.sum().item();
        whole += wrong.eq(0).to(DType.FLOAT32).sum().item();
        count += batch.count();
      }
    }
    return Metrics.of(
        Metric.higher(Metric.ACCURACY, right / count, ""),
        Metric.higher(WHOLE, whole / examples.size(), ""),
        Metric.lower(Metric.LOSS, loss / count, "nats per label"));
  }
}
