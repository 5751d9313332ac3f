package dev.jformer.data.image;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.Raster;

/**
 * Cuts the largest square out of the middle of a decoded image, or takes all of it, upright, in
 * red, green and blue. The numbers of the file are taken as they are: Java's own conversion treats
 * grey as linear light and makes it brighter. Transparent pixels are drawn on black.
 */
final class RgbImage {
  private final BufferedImage image;
  private final Orientation orientation;
  private final int width;
  private final int height;
  private final int left;
  private final int top;

  private RgbImage(BufferedImage image, Orientation orientation, boolean whole) {
    this.image = image;
    this.orientation = orientation;
    int side = Math.min(image.getWidth(), image.getHeight());
    width = whole ? image.getWidth() : side;
    height = whole ? image.getHeight() : side;
    // The odd column or row lies behind the square of the upright image.
    boolean backwards = orientation.swapped() ? orientation.flipped() : orientation.mirrored();
    boolean upwards = orientation.swapped() ? orientation.mirrored() : orientation.flipped();
    left = middle(image.getWidth() - width, backwards);
    top = middle(image.getHeight() - height, upwards);
  }

  private static int middle(int rest, boolean backwards) {
    return backwards ? rest - rest / 2 : rest / 2;
  }

  /** The largest square in the middle. */
  static BufferedImage square(BufferedImage image, Orientation orientation) {
    return new RgbImage(image, orientation, false).cut();
  }

  /** The whole image. */
  static BufferedImage whole(BufferedImage image, Orientation orientation) {
    return new RgbImage(image, orientation, true).cut();
  }

  private BufferedImage cut() {
    boolean swapped = orientation.swapped();
    BufferedImage cut =
        new BufferedImage(
            swapped ? height : width, swapped ? width : height, BufferedImage.TYPE_INT_RGB);
    int[] upright = new int[width];
    for (int stored = 0; stored < height; stored++) {
      int[] row = row(top + stored);
      boolean reversed = swapped ? orientation.flipped() : orientation.mirrored();
      for (int i = 0; i < width; i++) {
        upright[reversed ? width - 1 - i : i] = row[i];
      }
      if (swapped) {
        int x = orientation.mirrored() ? height - 1 - stored : stored;
        cut.setRGB(x, 0, 1, width, upright, 0, 1);
      } else {
        int y = orientation.flipped() ? height - 1 - stored : stored;
        cut.setRGB(0, y, width, 1, upright, 0, width);
      }
    }
    return cut;
  }

  /** The part of a stored row: 0xRRGGBB. */
  private int[] row(int y) {
    ColorModel model = image.getColorModel();
    int[] row = new int[width];
    if (!(model instanceof ComponentColorModel)) { // a palette, or bits packed into a number
      image.getRGB(left, y, width, 1, row, 0, width);
      for (int i = 0; i < width; i++) {
        int alpha = model.hasAlpha() ? row[i] >>> 24 : 255;
        row[i] = colour(row[i] >> 16 & 255, row[i] >> 8 & 255, row[i] & 255, alpha);
      }
      return row;
    }
    Raster raster = image.getRaster();
    int bands = raster.getNumBands();
    int shift = Math.max(0, model.getComponentSize(0) - 8);
    int[] samples = raster.getPixels(left, y, width, 1, (int[]) null);
    int green = bands < 3 ? 0 : 1;
    int blue = bands < 3 ? 0 : 2;
    for (int i = 0, at = 0; i < width; i++, at += bands) {
      row[i] =
          colour(
              samples[at] >> shift,
              samples[at + green] >> shift,
              samples[at + blue] >> shift,
              model.hasAlpha() ? samples[at + bands - 1] >> shift : 255);
    }
    return row;
  }

  private static int colour(int red, int green, int blue, int alpha) {
    return over(red, alpha) << 16 | over(green, alpha) << 8 | over(blue, alpha);
  }

  private static int over(int value, int alpha) {
    return alpha == 255 ? value : (value * alpha + 127) / 255;
  }
}
