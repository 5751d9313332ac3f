package dev.jformer.model.vision;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Cuts images into patches and puts them together again.
 *
 * @param height H of the images
 * @param width W of the images
 * @param patch height and width P of a patch, a divisor of both
 * @param channels C
 */
public record Patches(int height, int width, int patch, int channels) {
  /** Patches of images that are as wide as high. */
  public static Patches ofSquares(int size, int patch, int channels) {
    return new Patches(size, size, patch, channels);
  }

  /** The number of rows of patches. */
  public int rows() {
    return height / patch;
  }

  /** The number of patches in a row. */
  public int columns() {
    return width / patch;
  }

  /** The number T of patches of an image. */
  public int count() {
    return rows() * columns();
  }

  /** The numbers in a patch, C P². */
  public int values() {
    return channels * patch * patch;
  }

  /** [B, C, H, W] to [B, T, C P²], row by row. */
  public Tensor cut(Tensor images) {
    return images
        .unflatten(2, rows(), patch)
        .unflatten(4, columns(), patch)
        .permute(0, 2, 4, 1, 3, 5)
        .reshape(images.size(0), count(), values());
  }

  /** [B, T, C P²] to [B, C, H, W]. */
  public Tensor join(Tensor patches) {
    return patches
        .reshape(patches.size(0), rows(), columns(), channels, patch, patch)
        .permute(0, 3, 1, 4, 2, 5)
        .reshape(patches.size(0), channels, height, width);
  }

  /**
   * Fixed vectors of the places of patches, float32 [T, D]: sines and cosines of the row in the
   * first half of the channels, of the column in the second, as in <a
   * href="https://arxiv.org/abs/2111.06377">Masked Autoencoders Are Scalable Vision Learners</a>.
   *
   * @param depth D, a multiple of 4
   */
  public Tensor positions(int depth) {
    int quarter = depth / 4;
    double[] values = new double[count() * depth];
    for (int place = 0; place < count(); place++) {
      int y = place / columns();
      int x = place % columns();
      for (int i = 0; i < quarter; i++) {
        double rate = Math.pow(10_000, -(double) i / quarter);
        double row = rate * y;
        double column = rate * x;
        int at = place * depth + i;
        values[at] = Math.sin(row);
        values[at + quarter] = Math.cos(row);
        values[at + 2 * quarter] = Math.sin(column);
        values[at + 3 * quarter] = Math.cos(column);
      }
    }
    return Tensor.of(values, count(), depth).to(DType.FLOAT32);
  }
}
