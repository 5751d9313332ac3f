package dev.jformer.tensor;

import org.bytedeco.javacpp.FloatPointer;

/**
 * A matrix [N, K] in a form that few rows of floats are multiplied with, as in decoding. Internal:
 * layers in {@code nn.quantized} use it.
 */
public abstract class RowProduct implements AutoCloseable {
  /** Products with more rows are faster in other ways. */
  public static final long MOST_ROWS = 8;

  /** N. */
  final int rows;

  /** K. */
  final int width;

  RowProduct(long rows, long width) {
    this.rows = Math.toIntExact(rows);
    this.width = Math.toIntExact(width);
  }

  /**
   * Linear map {@code x Wᵀ + b}.
   *
   * @param x float32 [M, K], contiguous
   * @param bias float32 [N] or null
   * @return float32 [M, N]; no gradient flows through it
   */
  public final Tensor linear(Tensor x, Tensor bias) {
    if (x.rank() != 2 || x.size(1) != width) {
      throw new TensorException("x is " + x.shape() + ": expected [rows, " + width + "]");
    }
    int count = Math.toIntExact(x.size(0));
    Tensor result = Tensor.onHost(DType.FLOAT32, count, rows);
    if (count == 0) {
      return result;
    }
    float[] y = new float[count * rows];
    apply(Int8Vector.floats(x, 0, count * width), y, count);
    new FloatPointer(result.torch().data_ptr()).put(y);
    return bias == null ? result : result.add_(bias);
  }

  /**
   * The same for plain floats, without the bias.
   *
   * @param x [M, K]
   * @param y is set to [M, N]
   * @param count M
   */
  public abstract void apply(float[] x, float[] y, int count);

  /** Bytes that are kept beside the layer's own. */
  public abstract long bytes();

  @Override
  public abstract void close();
}
