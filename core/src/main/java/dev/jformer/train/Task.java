package dev.jformer.train;

import dev.jformer.metrics.Metrics;
import dev.jformer.tensor.Tensor;

/** What is trained: a model together with its data and its loss. */
public interface Task {
  /**
   * The training loss of one batch. Which batch that is may depend on {@code index} only, so that a
   * resumed run sees the same ones.
   *
   * @param index number of the batch, from 0
   * @return a scalar that gradients flow from
   */
  Tensor loss(long index);

  /** Tokens, images or other units in one batch, for the throughput that is shown. */
  long unitsPerBatch();

  /** What {@link #unitsPerBatch} counts, for example {@code tokens}. */
  String unit();

  /**
   * Measures the model, which is in inference mode, on held-out data. The primary metric decides
   * which weights are the best.
   */
  Metrics evaluate();
}
