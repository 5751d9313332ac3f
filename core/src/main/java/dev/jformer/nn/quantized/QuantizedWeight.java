package dev.jformer.nn.quantized;

import dev.jformer.tensor.Tensor;

/**
 * A layer that stores a matrix in few bits. It is built with zeros and filled from a file or from
 * the matrix of the layer that it replaces.
 */
public interface QuantizedWeight {
  /**
   * Rounds a matrix and stores it.
   *
   * @param weight [out, in] or, for an embedding, [count, D]
   * @throws IllegalArgumentException if it holds numbers that are not finite
   */
  void quantize(Tensor weight);

  /** The stored matrix as float32, of the shape that {@link #quantize} takes. */
  Tensor dequantized();
}
