package dev.jformer.train;

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

  /** The loss on held-out data, with the model in inference mode; lower is better. */
  double evaluate();
}
