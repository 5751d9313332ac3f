package dev.jformer.nn.quantized;

import dev.jformer.tensor.Tensor;

/**
 * A layer that keeps a matrix in few bits. It is built with zeros, and filled from a file or from
 * the matrix of the layer whose place it takes.
 */
public interface QuantizedWeight {
  /**
   * Rounds a matrix to what this layer can hold.
   *
   * @param weight [out, in] or, of a table, [count, D]
   * @throws IllegalArgumentException if it holds numbers that are not finite
   */
  void quantize(Tensor weight);

  /** The matrix that it holds, float32, of the shape that {@link #quantize} takes. */
  Tensor dequantized();
}
