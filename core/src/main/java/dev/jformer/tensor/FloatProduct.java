package dev.jformer.tensor;

import org.bytedeco.javacpp.FloatPointer;

/**
 * Products of few rows of plain floats with a float32 matrix, as in decoding. Threads share out the
 * rows of the matrix. No operator of the engine is called, each of which would cost some ten
 * microseconds. Internal: layers in {@code nn} use it.
 */
public final class FloatProduct {
  private final Tensor weight;
  private final int rows;
  private final int width;

  /**
   * Prepares products {@code x Wᵀ}.
   *
   * @param weight float32 [N, K], contiguous; it has to live as long as this
   */
  public FloatProduct(Tensor weight) {
    this.weight = weight;
    this.rows = Math.toIntExact(weight.size(0));
    this.width = Math.toIntExact(weight.size(1));
  }

  /** Whether a matrix can be multiplied here. */
  public static boolean suits(Tensor weight) {
    return weight.rank() == 2
        && weight.dtype() == DType.FLOAT32
        && weight.torch().is_cpu()
        && weight.torch().is_contiguous();
  }

  /**
   * Computes rows.
   *
   * @param x [M, K]
   * @param y is set to [M, N]
   * @param count M
   */
  public void apply(float[] x, float[] y, int count) {
    Flops.linear((long) count * width, rows);
    int vectors = count == 1 ? Blas.copies(width) : count;
    RowMemory memory = RowMemory.ofThread();
    FloatPointer input = memory.input(vectors * width);
    for (int row = 0; row < vectors; row++) {
      input.getPointer((long) row * width).put(x, row < count ? row * width : 0, width);
    }
    FloatPointer products = memory.output(vectors * rows);
    FloatPointer matrix = new FloatPointer(weight.torch().data_ptr());
    int pieces = WorkerPool.pieces((long) rows * width, rows);
    WorkerPool.each(
        pieces,
        piece -> {
          int from = (int) ((long) rows * piece / pieces);
          int some = (int) ((long) rows * (piece + 1) / pieces) - from;
          FloatPointer part = matrix.getPointer((long) from * width);
          FloatPointer target = products.getPointer(from);
          Blas.timesTransposed(1, input, part, target, vectors, some, width, rows);
          for (int row = 0; row < count; row++) {
            int start = row * rows + from;
            products.getPointer(start).get(y, start, some);
          }
        });
  }
}
