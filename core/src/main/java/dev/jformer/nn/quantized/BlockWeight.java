package dev.jformer.nn.quantized;

import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;

/** A layer that holds its matrix as a file does: as blocks of integers, or as floats. */
public interface BlockWeight extends QuantizedWeight {
  /** The shape of the matrix: [out, in] or, for an embedding, [count, D]. */
  Shape shape();

  /**
   * Stores a matrix of integers without rounding.
   *
   * @param blocks of this shape
   */
  void store(IntegerBlocks blocks);

  /**
   * Stores a matrix of floats, as float32.
   *
   * @param matrix of this shape
   */
  void store(Tensor matrix);
}
