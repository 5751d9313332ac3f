package dev.jformer.studies.trial;

import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.TokenClassifier;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/** The task of a token classifier whose batches are made when they are needed. */
public final class TokenLabelling implements Task {
  private final TokenClassifier classifier;
  private final int rows;
  private final LongFunction<Batch> training;
  private final int parts;
  private final LongFunction<Batch> heldOut;
  private final List<Double> accuracies = new ArrayList<>();

  /**
   * A batch.
   *
   * @param ids int64 [B, T]
   * @param paddingMask bool [B, T], false at padding; null for none
   * @param targets int64 [B, T]: the label of each token, -1 for tokens without one
   */
  public record Batch(Tensor ids, Tensor paddingMask, Tensor targets) {}

  /**
   * Creates the task.
   *
   * @param rows B of a batch for training
   * @param training gives the batch of an update
   * @param parts number of held-out batches
   * @param heldOut gives the held-out batches, from 0
   */
  public TokenLabelling(
      TokenClassifier classifier,
      int rows,
      LongFunction<Batch> training,
      int parts,
      LongFunction<Batch> heldOut) {
    this.classifier = classifier;
    this.rows = rows;
    this.training = training;
    this.parts = parts;
    this.heldOut = heldOut;
  }

  @Override
  public Tensor loss(long index) {
    return loss(training.apply(index));
  }

  private Tensor loss(Batch batch) {
    return classifier.loss(batch.ids(), batch.paddingMask(), batch.targets());
  }

  @Override
  public long unitsPerBatch() {
    return rows;
  }

  @Override
  public String unit() {
    return "sequences";
  }

  /** The accuracy on held-out batches in each evaluation so far, 0 to 1. */
  public List<Double> accuracies() {
    return List.copyOf(accuracies);
  }

  @Override
  public Metrics evaluate() {
    double loss = 0;
    double right = 0;
    for (int part = 0; part < parts; part++) {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Batch batch = heldOut.apply(part);
        loss += loss(batch).item() / parts;
        Tensor best = classifier.logits(batch.ids(), batch.paddingMask()).argmax(2);
        double hits = best.eq(batch.targets()).to(DType.FLOAT64).sum().item();
        right += hits / batch.targets().ge(0).to(DType.FLOAT64).sum().item() / parts;
      }
    }
    accuracies.add(right);
    return Metrics.ofLoss(loss, "nats").with(Metric.higher(Metric.ACCURACY, right, ""));
  }
}
