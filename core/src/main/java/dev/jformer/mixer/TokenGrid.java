package dev.jformer.mixer;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Tokens viewed as an image of several rows, without copying.
 *
 * @param planes [B, D, rows, columns]
 */
record TokenGrid(Tensor planes) {
  /**
   * Views tokens as an image.
   *
   * @param x [B, T, D]
   * @param rows a divisor of T; 1 for a sequence
   */
  static TokenGrid of(Tensor x, long rows) {
    if (x.size(1) % rows != 0) {
      throw new IllegalArgumentException(
          x.size(1)
              + " tokens do not form an image of "
              + rows
              + " rows: expected a multiple of the rows");
    }
    return new TokenGrid(x.unflatten(1, rows, -1).permute(0, 3, 1, 2));
  }

  /** The tokens as a sequence: [B, T, D]. */
  Tensor tokens() {
    return planes.permute(0, 2, 3, 1).flatten(1, 2);
  }

  /** The mean of each token and its existing neighbours: [B, T, D]. */
  Tensor neighbours(int size) {
    long height = planes.size(2) == 1 ? 1 : size;
    return new TokenGrid(Functional.meanPool(planes, height, size)).tokens();
  }
}
