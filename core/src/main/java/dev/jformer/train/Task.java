package dev.jformer.train;

import dev.jformer.metrics.Metrics;
import dev.jformer.tensor.Tensor;

/** A training task: a model together with its data and its loss. */
public interface Task {
  /**
   * Computes the training loss of one batch. The batch may depend on {@code index} only, so that a
   * resumed run sees the same batches. A task whose batches differ in the number of predictions
   * that the loss is the mean of reports it ({@link
   * dev.jformer.nn.AuxiliaryLosses#predictions(long)}), so that accumulated gradients are those of
   * one large batch.
   *
   * @param index number of the batch, from 0
   * @return a scalar with a gradient
   */
  Tensor loss(long index);

  /**
   * Which tokens of a batch count for methods that look at what layers see: those that are neither
   * padding nor without a target.
   *
   * @param index number of the batch, as in {@link #loss}
   * @return bool [B, T]; null if all count, or the batch has no tokens
   */
  default Tensor counted(long index) {
    return null;
  }

  /** The number of tokens, images or other units in one batch, for reporting throughput. */
  long unitsPerBatch();

  /** The unit that {@link #unitsPerBatch} counts, for example {@code tokens}. */
  String unit();

  /**
   * Measures the model, which is in inference mode, on held-out data. The best weights are those
   * with the best primary metric.
   */
  Metrics evaluate();
}
