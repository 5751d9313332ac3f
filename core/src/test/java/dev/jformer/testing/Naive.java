package dev.jformer.testing;

/** A module's mathematics on one sequence, written in plain loops over float64 numbers. */
@FunctionalInterface
public interface Naive {
  /**
   * The module's output.
   *
   * @param x the sequence, [T][D]
   * @param weights the module's weights by name
   * @return [T][D]
   */
  double[][] forward(double[][] x, Weights weights);
}
