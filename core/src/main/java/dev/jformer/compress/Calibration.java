package dev.jformer.compress;

import dev.jformer.model.Model;

/** Data that is like what a model will see, to find out how large its activations are. */
@FunctionalInterface
public interface Calibration {
  /**
   * Runs a model on all of the data, in inference and without gradients.
   *
   * @param model of the family that the data suits
   * @throws IllegalArgumentException if the data is of another modality than the model
   */
  void run(Model model);
}
