package dev.jformer.nn.shift;

import dev.jformer.tensor.Tensor;

/** A layer whose weights are powers of two with a sign, times a scale for each output. */
public interface ShiftWeight {
  /** Signs: int8 [out, in], 1, -1, or 0 for a weight of zero. */
  Tensor signs();

  /** Exponents of two: int8 [out, in], from 0; 0 for a weight of zero too. */
  Tensor shifts();

  /** What 1 stands for in each row: float32 [out]. */
  Tensor scales();
}
