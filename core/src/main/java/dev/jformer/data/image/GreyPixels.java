package dev.jformer.data.image;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/** Converts images to sequences of tokens: pixels, row by row, each a grey of a few levels. */
public final class GreyPixels {
  /** The share of red, green and blue in a grey, as in JPEG. */
  private static final double[] SHARES = {0.299, 0.587, 0.114};

  private GreyPixels() {}

  /**
   * The greys of images, 0 to {@code levels - 1}, rounded to the nearest.
   *
   * @param images [B, 3, S, S], 0 to 1
   * @return a row of S² numbers for each image
   */
  public static int[][] of(Tensor images, int levels) {
    Tensor grey = Tensor.zeros(DType.FLOAT64, images.size(0), images.size(2), images.size(3));
    for (int channel = 0; channel < SHARES.length; channel++) {
      grey = grey.add(images.select(1, channel).to(DType.FLOAT64).mul(SHARES[channel]));
    }
    double[] all = grey.toDoubles();
    int count = (int) images.size(0);
    int[][] rows = new int[count][all.length / count];
    for (int i = 0; i < all.length; i++) {
      double level = Math.rint(all[i] * (levels - 1));
      rows[i / rows[0].length][i % rows[0].length] = (int) Math.min(levels - 1, Math.max(0, level));
    }
    return rows;
  }
}
