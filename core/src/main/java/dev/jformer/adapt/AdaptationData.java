package dev.jformer.adapt;

import dev.jformer.tensor.Tensor;

/** Batches on which a model can be run, for adapters that begin with what its layers see. */
public interface AdaptationData {
  /**
   * Runs the model on a batch, in inference and without gradients.
   *
   * @param index number of the batch, from 0
   */
  void run(long index);

  /** The module whose layers are adapted, which {@link #run} runs. */
  dev.jformer.nn.Module model();

  /**
   * Which tokens of a batch count: bool of the leading dimensions of the layers' inputs, such as
   * [B, T]; null if all do.
   */
  default Tensor counted(long index) {
    return null;
  }
}
