package dev.jformer.compress;

import dev.jformer.model.Model;
import dev.jformer.tensor.Tensor;

/** Data that is like what a model will see, to find out how large its activations are. */
@FunctionalInterface
public interface CalibrationData {
  /**
   * Runs a model on all of the data, in inference and without gradients.
   *
   * @param model of the family that the data suits
   * @throws IllegalArgumentException if the data is of another modality than the model
   */
  void run(Model model);

  /**
   * The mean loss of a model on a batch of the data, a scalar that gradients flow from.
   *
   * @throws IllegalArgumentException if the data does not say what the model should give
   */
  default Tensor loss(Model model) {
    throw new IllegalArgumentException(
        "this data does not say what a '"
            + model.config().type()
            + "' should give for it, so there is no loss to be had");
  }
}
