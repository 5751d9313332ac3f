package dev.jformer.adapt;

import dev.jformer.nn.Layer;
import dev.jformer.tensor.Tensor;

/**
 * A matrix that an adapter may update: a linear layer, or one of the matrices that a layer joins,
 * such as the queries among queries, keys and values.
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

  @Override
  public String toString() {
    return name() + " [" + rows + ", " + width + "]";
  }
}
