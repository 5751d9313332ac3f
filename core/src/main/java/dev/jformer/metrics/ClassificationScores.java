package dev.jformer.metrics;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/** Loss and accuracy of a classifier, accumulated over batches. */
public final class ClassificationScores {
  private double loss;
  private long right;
  private long count;

  /**
   * Adds a batch.
   *
   * @param logits [B, K]
   * @param labels int64 [B]
   */
  public void add(Tensor logits, Tensor labels) {
    long rows = labels.elements();
    loss += Functional.crossEntropy(logits.to(DType.FLOAT32), labels, -1, 0).item() * rows;
    right += logits.argmax(1).eq(labels).to(DType.INT64).sum().itemLong();
    count += rows;
  }

  /** Mean cross-entropy in nats. */
  public double loss() {
    return loss / count;
  }

  /** Share of examples whose highest logit is that of the right class. */
  public double accuracy() {
    return (double) right / count;
  }

  /** Loss and accuracy as metrics; the loss is the primary one. */
  public Metrics metrics() {
    return Metrics.ofLoss(loss(), "nats").with(Metric.higher(Metric.ACCURACY, accuracy(), ""));
  }

  /** Number of examples. */
  public long count() {
    return count;
  }
}
