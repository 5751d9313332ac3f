package dev.jformer.compress;

import dev.jformer.config.Part;
import dev.jformer.model.Model;
import java.util.function.DoubleConsumer;

/**
 * A method that makes a trained model smaller or cheaper. The result is an ordinary model: its
 * configuration describes it, so it is saved and loaded as usual, and it can be compressed again by
 * methods that can be combined.
 */
public interface Compression extends Part {
  /** The input that a method needs besides the model. */
  enum Needs {
    /** Nothing. */
    NOTHING,
    /** Calibration data. */
    CALIBRATION
  }

  /** The input that this method needs. */
  Needs needs();

  /**
   * Compresses a copy of a model.
   *
   * @param model is not changed
   * @param calibration the data that {@link #needs} requires; null if it requires nothing
   * @return a new model, in inference mode
   * @throws IllegalArgumentException if the method does not suit the model, for example because it
   *     was applied before, or if the calibration data is empty or leads to numbers that are not
   *     finite
   */
  Model apply(Model model, CalibrationData calibration);

  /**
   * Compresses a copy of a model, reporting progress if the method takes long.
   *
   * @param progress called with the share of the work that is done, above 0 and at most 1
   */
  default Model apply(Model model, CalibrationData calibration, DoubleConsumer progress) {
    return apply(model, calibration);
  }
}
