package dev.jformer.tensor;

/**
 * A matrix of 8-bit weights, cut into panels of some rows each, for products with few rows. A panel
 * is a table of K vectors of as many integers as it has rows, of which {@link PanelSums} makes the
 * product. Nothing is rounded but its sums.
 *
 * <p>A panel is so narrow that its sums stay in registers, and its memory is read from the
 * beginning to the end: a table of whole columns is read half as fast.
 */
final class Int8Panels extends RowProduct {
  /** Rows of a panel; where few would be left over, there are panels of {@link #NARROW}. */
  private static final int WIDE = 96;

  private static final int NARROW = 64;

  /** Bytes of the two floats, factor and offset, after each vector of a table. */
  private static final int TAIL = 2 * Float.BYTES;

  /** What integers are shifted by, as the kernel's have no sign. */
  private static final int ZERO = 128;

  private final int height;
  private final float[] scales;
  private final Tensor tables;
  private final PanelSums sums;

  /**
   * Lays out a matrix.
   *
   * @param weight int8 [N, K]
   * @param scale float32 [N], the step of each row
   */
  Int8Panels(Tensor weight, Tensor scale) {
    super(weight.size(0), weight.size(1));
    this.height = padded(WIDE) <= padded(NARROW) ? WIDE : NARROW;
    this.scales = scale.toFloats();
    try (Scope scope = Scope.open();
        Mode host = Device.host();
        Mode mode = Autograd.noGrad()) {
      this.tables = tables(weight).keep();
    }
    this.sums = new PanelSums(tables, 8, height, width);
  }

  private int padded(int height) {
    return (rows + height - 1) / height * height;
  }

  /** The tables of all panels, uint8 [panels, K, height + tail]. */
  private Tensor tables(Tensor weight) {
    int panels = padded(height) / height;
    Tensor all = Tensor.onHost(DType.UINT8, panels, width, height + TAIL);
    all.narrow(2, height, TAIL).copy_(Tensor.of(new float[] {1, -ZERO}).viewAs(DType.UINT8));
    int whole = rows / height;
    if (whole > 0) {
      fill(all.narrow(0, 0, whole), weight.narrow(0, 0, (long) whole * height));
    }
    if (whole < panels) {
      long left = (long) rows - (long) whole * height;
      Tensor last = weight.narrow(0, (long) whole * height, left);
      fill(all.narrow(0, whole, 1), Functional.pad(last, 0, 0, 0, 0, height - left));
    }
    return all;
  }

  private void fill(Tensor some, Tensor weight) {
    Tensor shifted = weight.contiguous().viewAs(DType.UINT8).add((long) ZERO); // modulo 256
    some.narrow(2, 0, height).copy_(shifted.unflatten(0, -1, height).transpose(1, 2));
  }

  @Override
  public void apply(float[] x, float[] y, int count) {
    Flops.linear((long) count * width, rows);
    sums.each(
        x,
        count,
        (row, panel, products) -> {
          int from = panel * height;
          int some = Math.min(height, rows - from);
          int start = row * rows + from;
          products.get(y, start, some);
          for (int i = 0; i < some; i++) {
            y[start + i] *= scales[from + i];
          }
        });
  }

  @Override
  public long bytes() {
    return tables.elements() + (long) Float.BYTES * rows + sums.bytes();
  }

  @Override
  public void close() {
    sums.close();
    tables.close();
  }
}
