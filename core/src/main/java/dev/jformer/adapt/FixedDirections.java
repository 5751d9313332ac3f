package dev.jformer.adapt;

import dev.jformer.tensor.Tensor;
import java.util.Random;

/** Random directions that are the same in each run and leave the library's generator alone. */
final class FixedDirections {
  private static final long SEED = 42;

  private FixedDirections() {}

  /** Normal numbers, float64 [rows, columns]. */
  static Tensor of(long rows, long columns) {
    Random random = new Random(SEED);
    double[] values = new double[Math.toIntExact(rows * columns)];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextGaussian();
    }
    return Tensor.of(values, rows, columns);
  }
}
