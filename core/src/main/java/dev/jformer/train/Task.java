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
