package dev.jformer.data.image;

import dev.jformer.model.vision.Framing;
import java.awt.image.BufferedImage;

/**
 * Makes pixels of another size as Pillow does: each is a weighted mean of those around its place,
 * of as many as it covers when the picture becomes smaller; first along rows, then along columns,
 * rounded to bytes in between.
 *
 * @param kernel the weight of a pixel at a distance
 * @param reach the distance from which on weights are zero
 */
record Resampler(Kernel kernel, double reach) {
  /** A weight by distance. */
  interface Kernel {
    double at(double distance);
  }

  private static final int LOBES = 3;

  /** The part of a picture's side that is wanted, in the pixels of the resized picture. */
  record Part(long resized, long from, int count) {}

  static Resampler of(Framing.Filter filter) {
    return switch (filter) {
      case BILINEAR -> new Resampler(Resampler::linear, 1);
      case BICUBIC -> new Resampler(Resampler::cubic, 2);
      case LANCZOS -> new Resampler(Resampler::lanczos, LOBES);
      case HALVING -> throw new IllegalArgumentException("halving has no kernel");
    };
  }

  private static double linear(double distance) {
    return Math.max(0, 1 - Math.abs(distance));
  }

  /** Keys' cubic convolution with a = -1/2. */
  private static double cubic(double distance) {
    double x = Math.abs(distance);
    if (x < 1) {
      return (1.5 * x - 2.5) * x * x + 1;
    }
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  }

  private static double lanczos(double distance) {
    return Math.abs(distance) < LOBES ? sinc(distance) * sinc(distance / LOBES) : 0;
  }

  private static double sinc(double x) {
    return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  }

  /** The weights of the pixels that one new pixel is made of, beginning with one of them. */
  private static final class Weights {
    private final int from;
    private final double[] values;

    Weights(int from, double[] values) {
      this.from = from;
      this.values = values;
    }

    int end() {
      return from + values.length;
    }
  }

  private Weights[] weights(int length, Part part) {
    double scale = (double) length / part.resized();
    double stretch = Math.max(1, scale);
    Weights[] all = new Weights[part.count()];
    for (int i = 0; i < all.length; i++) {
      double middle = (part.from() + i + 0.5) * scale;
      int from = Math.max(0, (int) (middle - reach * stretch + 0.5));
      int end = Math.min(length, (int) (middle + reach * stretch + 0.5));
      double[] values = new double[end - from];
      double sum = 0;
      for (int j = 0; j < values.length; j++) {
        values[j] = kernel.at((from + j - middle + 0.5) / stretch);
        sum += values[j];
      }
      for (int j = 0; j < values.length; j++) {
        values[j] /= sum;
      }
      all[i] = new Weights(from, values);
    }
    return all;
  }

  /** Computes a part of the resized picture, channel by channel, row by row. */
  byte[] planes(BufferedImage picture, Part across, Part down) {
    Weights[] columns = weights(picture.getWidth(), across);
    Weights[] rows = weights(picture.getHeight(), down);
    int area = rows.length * columns.length;
    double[] sums = new double[Picture.CHANNELS * area];
    int[] pixels = new int[picture.getWidth()];
    int first = 0;
    for (int y = 0; y < picture.getHeight(); y++) {
      while (first < rows.length && rows[first].end() <= y) {
        first++;
      }
      if (first == rows.length || rows[first].from > y) {
        continue;
      }
      picture.getRGB(0, y, pixels.length, 1, pixels, 0, pixels.length);
      for (int channel = 0; channel < Picture.CHANNELS; channel++) {
        int[] narrow = narrow(pixels, 16 - 8 * channel, columns);
        for (int i = first; i < rows.length && rows[i].from <= y; i++) {
          if (y < rows[i].end()) {
            double weight = rows[i].values[y - rows[i].from];
            int to = channel * area + i * narrow.length;
            for (int x = 0; x < narrow.length; x++) {
              sums[to + x] += weight * narrow[x];
            }
          }
        }
      }
    }
    byte[] planes = new byte[sums.length];
    for (int i = 0; i < planes.length; i++) {
      planes[i] = (byte) rounded(sums[i]);
    }
    return planes;
  }

  /** One channel of a row, resized. */
  private static int[] narrow(int[] pixels, int shift, Weights[] columns) {
    int[] narrow = new int[columns.length];
    for (int x = 0; x < narrow.length; x++) {
      Weights weights = columns[x];
      double sum = 0;
      for (int j = 0; j < weights.values.length; j++) {
        sum += weights.values[j] * (pixels[weights.from + j] >> shift & 255);
      }
      narrow[x] = rounded(sum);
    }
    return narrow;
  }

  private static int rounded(double value) {
    return Math.max(0, Math.min(255, (int) Math.floor(value + 0.5)));
  }
}
