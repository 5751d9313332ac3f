package dev.jformer.compress;

import dev.jformer.model.Model;
import dev.jformer.tensor.Tensor;

/** Calibration data, representative of a model's input, to measure the range of its activations. */
@FunctionalInterface
public interface CalibrationData {
  /**
   * Runs a model on all of the data, in inference and without gradients.
   *
   * @param model of the family that the data suits
   * @throws IllegalArgumentException if the data does not suit the model, for example images for a
   *     language model
   */
  void run(Model model);

  /**
   * Computes the mean loss of a model on a batch of the data, a scalar with a gradient.
   *
   * @throws IllegalArgumentException if the data has no targets
   */
  default Tensor loss(Model model) {
    throw new IllegalArgumentException(
        "this data has no targets for a '"
            + model.config().type()
            + "': expected labelled data, to compute a loss");
  }

  /**
   * Computes the mean loss of a model on a batch of the data, with logits divided by a temperature.
   *
   * @throws IllegalArgumentException if the data has no targets, or gives no logits to divide
   */
  default Tensor loss(Model model, double temperature) {
    if (temperature == 1) {
      return loss(model);
    }
    throw new IllegalArgumentException(
        "temperature is "
            + temperature
            + ": this data can compute losses at temperature 1 only, use that");
  }
}
