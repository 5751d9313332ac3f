package dev.jformer.nn;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * In training, sets elements to zero with a probability and scales the others up; otherwise the
 * identity.
 */
public final class Dropout extends Layer {
  private final double probability;

  /** Creates a layer that drops elements with this probability, in [0, 1). */
  public Dropout(double probability) {
    if (!(probability >= 0 && probability < 1)) {
      throw new IllegalArgumentException(
          "dropout is " + probability + ": expected a probability in [0, 1)");
    }
    this.probability = probability;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Functional.dropout(x, probability, isTraining());
  }

  @Override
  public RowFunction rowFunction() {
    return isTraining() ? null : RowFunction.IDENTITY;
  }
}
