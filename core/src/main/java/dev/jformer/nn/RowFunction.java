package dev.jformer.nn;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;

/**
 * What a layer computes of few rows of plain floats, such as one token of each sequence in
 * decoding. There an operator of the engine costs more than its arithmetic, and several hundred of
 * them more than reading all weights.
 *
 * <p>A function may keep memory between calls, so only one thread may use it at a time. It reads
 * the layer's weights as they were when it was made, or as they are now.
 */
@FunctionalInterface
public interface RowFunction {
  /** The most rows that a model computes in this way. */
  int MOST_ROWS = 8;

  /** The function that changes nothing; who meets it may leave the call out. */
  RowFunction IDENTITY = (x, y, rows) -> System.arraycopy(x, 0, y, 0, Math.min(x.length, y.length));

  /**
   * Computes rows.
   *
   * @param x [rows, in], row after row; what follows them has no meaning
   * @param y is set to [rows, out]; another array than {@code x}
   */
  void apply(float[] x, float[] y, int rows);

  /** This function, and then a number added to each float of a row; nothing is added for null. */
  default RowFunction plus(float[] bias) {
    if (bias == null) {
      return this;
    }
    return (x, y, rows) -> {
      apply(x, y, rows);
      for (int start = 0; start < rows * bias.length; start += bias.length) {
        for (int i = 0; i < bias.length; i++) {
          y[start + i] += bias[i];
        }
      }
    };
  }

  /**
   * The function of a layer that has none of its own: it is called with a tensor.
   *
   * @param in the number of floats in a row
   */
  static RowFunction of(Layer layer, int in) {
    return (x, y, rows) -> {
      try (Scope scope = Scope.open()) {
        float[] made =
            layer
                .forward(Tensor.of(Arrays.copyOf(x, rows * in), rows, in))
                .to(DType.FLOAT32)
                .toFloats();
        System.arraycopy(made, 0, y, 0, made.length);
      }
    };
  }
}
