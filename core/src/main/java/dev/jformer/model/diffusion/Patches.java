package dev.jformer.model.diffusion;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Cuts images into patches and puts them together again.
 *
 * @param size height and width of the images
 * @param patch height and width P of a patch
 * @param channels C
 */
record Patches(int size, int patch, int channels) {
  /** The number of patches in a row. */
  int rows() {
    return size / patch;
  }

  /** The number T of patches of an image. */
  int count() {
    return rows() * rows();
  }

  /** The numbers in a patch, C P². */
  int values() {
    return channels * patch * patch;
  }

  /** [B, C, S, S] to [B, T, C P²], row by row. */
  Tensor cut(Tensor images) {
    return images
        .unflatten(2, rows(), patch)
        .unflatten(4, rows(), patch)
        .permute(0, 2, 4, 1, 3, 5)
        .reshape(images.size(0), count(), values());
  }

  /** [B, T, C P²] to [B, C, S, S]. */
  Tensor join(Tensor patches) {
    return patches
        .reshape(patches.size(0), rows(), rows(), channels, patch, patch)
        .permute(0, 3, 1, 4, 2, 5)
        .reshape(patches.size(0), channels, size, size);
  }

  /**
   * Fixed vectors of the places of patches, float32 [T, D]: sines and cosines of the row in the
   * first half of the channels, of the column in the second, as in <a
   * href="https://arxiv.org/abs/2111.06377">Masked Autoencoders Are Scalable Vision Learners</a>.
   *
   * @param width D, a multiple of 4
   */
  Tensor positions(int width) {
    int quarter = width / 4;
    double[] values = new double[count() * width];
    for (int place = 0; place < count(); place++) {
      int y = place / rows();
      int x = place % rows();
      for (int i = 0; i < quarter; i++) {
        double rate = Math.pow(10_000, -(double) i / quarter);
        double row = rate * y;
        double column = rate * x;
        int at = place * width + i;
        values[at] = Math.sin(row);
        values[at + quarter] = Math.cos(row);
        values[at + 2 * quarter] = Math.sin(column);
        values[at + 3 * quarter] = Math.cos(column);
      }
    }
    return Tensor.of(values, count(), width).to(DType.FLOAT32);
  }
}
