package dev.jformer.nn.internal;

import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;
import java.nio.FloatBuffer;

/**
 * Where the values of a sparse matrix stand: the places of those that are kept, row after row, in
 * few bits.
 */
public interface NonzeroPositions {
  /** What keeps the places, under a name of its own; a buffer. */
  String name();

  /** The tensor of that name. */
  Parameter code();

  /** Number of values that are kept, once the places are known. */
  long count();

  /**
   * Takes over places.
   *
   * @param mask bool [out, in], true where a value is kept
   * @throws IllegalArgumentException if these places cannot be kept so
   */
  void set(Tensor mask);

  /** The places in the matrix as one row, int64 [count], rising. */
  long[] indices();

  /**
   * Writes a matrix.
   *
   * @param values as many as {@link #count}
   * @param matrix [out, in] zeros
   */
  void spread(FloatBuffer values, FloatBuffer matrix);
}
