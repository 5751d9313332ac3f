package dev.jformer.tensor;

/**
 * Products of few rows with a matrix of 8-bit weights. Up to four rows are multiplied in the Vector
 * API, which reads the plain form; for more, oneDNN is faster, as processors have units for them,
 * and a packed copy is made at the first use.
 */
final class Int8Product extends RowProduct {
  /**
   * Measured on two cores of a Xeon with AMX: one row takes 9.4 ms for 134 million weights, in
   * oneDNN 14; eight rows 21, and 11.
   */
  private static final int MOST_IN_VECTORS = 4;

  private final Tensor weight;
  private final Tensor scale;
  private final VectorProduct vectors;
  private Int8Packed packed;

  /**
   * Prepares products.
   *
   * @param weight int8 [N, K], which has to live as long as this
   * @param scale float32 [N], the step of each row
   */
  Int8Product(Tensor weight, Tensor scale) {
    super(weight.size(0), weight.size(1));
    this.weight = weight;
    this.scale = scale;
    this.vectors = VectorProduct.ofInt8(weight, scale);
  }

  @Override
  public void apply(float[] x, float[] y, int count) {
    if (count <= MOST_IN_VECTORS || !Int8Packed.isExact()) {
      vectors.apply(x, y, count);
    } else {
      packed().apply(x, y, count);
    }
  }

  private synchronized Int8Packed packed() {
    if (packed == null) {
      try (Mode ordinary = Autograd.noInference()) {
        packed = new Int8Packed(weight, scale);
      }
    }
    return packed;
  }

  @Override
  public synchronized long bytes() {
    return vectors.bytes() + (packed == null ? 0 : packed.bytes());
  }

  @Override
  public synchronized void close() {
    vectors.close();
    if (packed != null) {
      packed.close();
      packed = null;
    }
  }
}
