package dev.jformer.kernels;

/** Products of a few rows of floats with a matrix [N, K], {@code x Wᵀ}. */
public abstract sealed class RowKernel permits Int8Kernel, PanelKernel {
  /** N. */
  final int rows;

  /** K. */
  final int width;

  RowKernel(int rows, int width) {
    this.rows = rows;
    this.width = width;
  }

  /** How many parts the work has that threads may share out. */
  public abstract int parts();

  /**
   * Brings x into the order that this kernel reads; once for all parts.
   *
   * @param x [count, K]
   * @return what {@link #multiply} takes
   */
  public abstract float[] prepared(float[] x, int count);

  /**
   * Does consecutive parts of the work.
   *
   * @param x count rows, {@link #prepared}
   * @param y [count, N], of which these parts' results are set
   */
  public abstract void multiply(float[] x, float[] y, int count, int from, int end);
}
