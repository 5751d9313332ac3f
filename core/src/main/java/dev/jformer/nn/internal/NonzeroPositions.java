package dev.jformer.nn.internal;

import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;
import java.nio.FloatBuffer;

/** The positions of the kept values of a sparse matrix, row by row, stored in few bits. */
public interface NonzeroPositions {
  /** The name of the buffer that stores the positions. */
  String name();

  /** The buffer that stores the positions. */
  Parameter code();

  /** Number of values that are kept. */
  long count();

  /**
   * Sets the positions.
   *
   * @param mask bool [out, in], true where a value is kept
   * @throws IllegalArgumentException if this format cannot store them
   */
  void set(Tensor mask);

  /**
   * Checks positions that were read from a file.
   *
   * @param values the number of values that they belong to
   * @throws IllegalStateException if their number is another one, or a position is outside of the
   *     matrix or not after the one before it
   */
  default void check(long values) {
    if (count() != values) {
      throw new IllegalStateException(
          values + " values have " + count() + " positions: the weights are damaged");
    }
    long last = -1;
    for (long index : indices()) {
      if (index <= last || index >= elements()) {
        throw new IllegalStateException(
            "a value is at position "
                + index
                + " of "
                + elements()
                + ", after the one at "
                + last
                + ": the weights are damaged");
      }
      last = index;
    }
  }

  /** Number of elements of the matrix. */
  long elements();

  /** The indices of the kept elements in the flattened matrix, [count], in rising order. */
  long[] indices();

  /**
   * Writes values to their positions in a matrix.
   *
   * @param values {@link #count} values
   * @param matrix [out, in], zeros
   */
  void spread(FloatBuffer values, FloatBuffer matrix);
}
