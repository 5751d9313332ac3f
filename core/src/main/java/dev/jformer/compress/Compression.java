package dev.jformer.compress;

import dev.jformer.config.Part;
import dev.jformer.model.Model;
import java.util.function.DoubleConsumer;

/**
 * A way to make of a trained model one that is smaller or cheaper. The result is a model like any
 * other: its configuration says what it has become, so it is saved and loaded as models are, and
 * can be operated on again where the methods go together.
 */
public interface Compression extends Part {
  /** What a method cannot do without. */
  enum Needs {
    /** The model is enough. */
    NOTHING,
    /** Data to run the model on. */
    CALIBRATION
  }

  /** What this method needs. */
  Needs needs();

  /**
   * Operates on a copy of a model.
   *
   * @param model left as it is
   * @param calibration what {@link #needs} asks for; null where it asks for nothing
   * @return a new model, in inference
   * @throws IllegalArgumentException if the method does not suit the model, for example because it
   *     was applied before, or if the calibration data is empty or gives numbers that are not
   *     finite
   */
  Model apply(Model model, CalibrationData calibration);

  /**
   * As above, for people who wait: methods that take long tell how far they are.
   *
   * @param progress is given the share of the work that is done, more than 0 and at most 1
   */
  default Model apply(Model model, CalibrationData calibration, DoubleConsumer progress) {
    return apply(model, calibration);
  }
}
