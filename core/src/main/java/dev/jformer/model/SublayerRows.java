package dev.jformer.model;

import dev.jformer.nn.RowFunction;
import java.util.stream.Stream;

/** A {@link Sublayer} with its part of the block, for few rows of plain floats. */
final class SublayerRows {
  private final boolean before;
  private final RowFunction norm;
  private final RowFunction[] branch;
  private final int width;
  private float[] made;
  private float[] other;

  /**
   * Creates the sublayer.
   *
   * @param before whether the norm stands before the part
   */
  SublayerRows(
      boolean before,
      RowFunction norm,
      RowFunction part,
      RowFunction outputNorm,
      RowFunction branch,
      int width) {
    this.before = before;
    this.norm = norm;
    this.branch =
        Stream.of(before ? norm : RowFunction.IDENTITY, part, outputNorm, branch)
            .filter(step -> step != RowFunction.IDENTITY)
            .toArray(RowFunction[]::new);
    this.width = width;
    this.made = new float[RowFunction.MOST_ROWS * width];
    this.other = new float[RowFunction.MOST_ROWS * width];
  }

  /**
   * Adds what the part makes to the residual stream.
   *
   * @param stream [rows, width]
   * @param read what the part reads, the stream itself or what it was: [rows, width]
   */
  void addTo(float[] stream, float[] read, int rows) {
    float[] from = read;
    for (RowFunction step : branch) {
      step.apply(from, made, rows);
      from = made;
      made = other;
      other = from;
    }
    int count = rows * width;
    for (int i = 0; i < count; i++) {
      stream[i] += from[i];
    }
    if (!before && norm != RowFunction.IDENTITY) {
      norm.apply(stream, made, rows);
      System.arraycopy(made, 0, stream, 0, count);
    }
  }
}
