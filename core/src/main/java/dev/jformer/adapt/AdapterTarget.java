package dev.jformer.adapt;

import dev.jformer.nn.Layer;
import dev.jformer.tensor.Tensor;

/**
 * A matrix that an adapter may update: that of a linear layer, or one of the matrices that a layer
 * joins, such as the queries among queries, keys and values. A convolution is a matrix of the
 * patches that it sees, [out, in · kernel²].
 *
 * @param layer dotted name of the layer
 * @param part number of the matrix in the layer, from 0
 * @param start first row of the matrix in the layer
 * @param rows number of its rows: its outputs
 * @param width number of its columns: the inputs of the layer
 * @param frozen the layer
 */
public record AdapterTarget(
    String layer, int part, long start, long rows, long width, Layer frozen) {
  /** The name, with the number of the part if the layer joins several. */
  public String name() {
    return isWhole() ? layer : layer + "." + part;
  }

  /** Whether the matrix is the whole of its layer. */
  boolean isWhole() {
    return rows == FrozenWeight.of(frozen).rows();
  }

  /** The matrix, floating-point [rows, width]. */
  public Tensor matrix() {
    return FrozenWeight.of(frozen).matrix().narrow(0, start, rows);
  }

  /**
   * A matrix with the inputs of the layer, [N, width], as kernels: [N, in, kernel, kernel] for a
   * convolution, the matrix itself for a linear layer.
   */
  public Tensor kernels(Tensor matrix) {
    return FrozenWeight.of(frozen).kernels(matrix);
  }

  /**
   * A matrix with the outputs of the layer, [rows, N], as kernels: [rows, N, 1, 1] for a
   * convolution, the matrix itself for a linear layer.
   */
  public Tensor pixels(Tensor matrix) {
    return FrozenWeight.of(frozen).pixels(matrix);
  }

  @Override
  public String toString() {
    return name() + " [" + rows + ", " + width + "]";
  }
}
