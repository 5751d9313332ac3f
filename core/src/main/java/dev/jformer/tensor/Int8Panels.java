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
        Mode mode = Autograd.noGrad()) {
      this.tables = Panels.of(weight, 8, Panels.ZERO, height).keep();
    }
    this.sums = new PanelSums(tables, 8, height, width);
  }

  private long padded(int height) {
    return Panels.count(rows, height) * height;
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
