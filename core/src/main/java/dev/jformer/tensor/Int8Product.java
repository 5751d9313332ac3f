package dev.jformer.tensor;

/**
 * Products of few rows with a matrix of 8-bit weights. Up to four rows are multiplied without
 * rounding them: in the Vector API where it is on, which reads the plain form, otherwise as {@link
 * Int8Panels}. For more, oneDNN is faster where the processor has units for integers. Copies in a
 * kernel's order are made at the first use.
 */
final class Int8Product extends RowProduct {
  /**
   * Measured on two cores of a Xeon with AMX: one row takes 9.4 ms for 134 million weights in the
   * Vector API, in oneDNN 14; eight rows 21, and 11.
   */
  private static final int MOST_UNPACKED = 4;

  private final Tensor weight;
  private final Tensor scale;
  private RowProduct few;
  private RowProduct packed;

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
  }

  @Override
  public void apply(float[] x, float[] y, int count) {
    boolean isPacked = count > MOST_UNPACKED && Int8Packed.isExact();
    (isPacked ? packed() : few()).apply(x, y, count);
  }

  private synchronized RowProduct few() {
    if (few == null) {
      try (Mode ordinary = Autograd.noInference()) {
        few =
            VectorProduct.suits(weight)
                ? VectorProduct.ofInt8(weight, scale)
                : new Int8Panels(weight, scale);
      }
    }
    return few;
  }

  private synchronized RowProduct packed() {
    if (packed == null) {
      try (Mode ordinary = Autograd.noInference()) {
        packed = new Int8Packed(weight, scale);
      }
    }
    return packed;
  }

  @Override
  public synchronized long bytes() {
    return (few == null ? 0 : few.bytes()) + (packed == null ? 0 : packed.bytes());
  }

  @Override
  public synchronized void close() {
    if (few != null) {
      few.close();
      few = null;
    }
    if (packed != null) {
      packed.close();
      packed = null;
    }
  }
}
