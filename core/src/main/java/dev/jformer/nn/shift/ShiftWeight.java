package dev.jformer.nn.shift;

import dev.jformer.tensor.Tensor;

/** A layer whose weights are signed powers of two times a scale for each output. */
public interface ShiftWeight {
  /** The signs, int8 [out, in]: 1, -1, or 0 for a weight of zero. */
  Tensor signs();

  /** The exponents of two, int8 [out, in], from 0; also 0 for a weight of zero. */
  Tensor shifts();

  /** The scale of each row: float32 [out]. */
  Tensor scales();
}
