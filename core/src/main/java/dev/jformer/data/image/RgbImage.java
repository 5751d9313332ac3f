package dev.jformer.data.image;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.Raster;

/**
 * Cuts the largest square out of the middle of a decoded image, upright, in red, green and blue.
 * The numbers of the file are taken as they are: Java's own conversion treats grey as linear light
 * and makes it brighter. Transparent pixels are drawn on black.
 */
final class RgbSquare {
  private final BufferedImage image;
  private final Orientation orientation;
  private final int side;
  private final int left;
  private final int top;

  private RgbSquare(BufferedImage image, Orientation orientation) {
    this.image = image;
    this.orientation = orientation;
    side = Math.min(image.getWidth(), image.getHeight());
    // The odd column or row lies behind the square of the upright image.
    boolean backwards = orientation.swapped() ? orientation.flipped() : orientation.mirrored();
    boolean upwards = orientation.swapped() ? orientation.mirrored() : orientation.flipped();
    left = middle(image.getWidth() - side, backwards);
    top = middle(image.getHeight() - side, upwards);
  }

  private static int middle(int rest, boolean backwards) {
    return backwards ? rest - rest / 2 : rest / 2;
  }

  static BufferedImage of(BufferedImage image, Orientation orientation) {
    return new RgbSquare(image, orientation).cut();
  }

  private BufferedImage cut() {
    BufferedImage square = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    int[] upright = new int[side];
    for (int stored = 0; stored < side; stored++) {
      int[] row = row(top + stored);
      boolean reversed = orientation.swapped() ? orientation.flipped() : orientation.mirrored();
      for (int i = 0; i < side; i++) {
        upright[reversed ? side - 1 - i : i] = row[i];
      }
      if (orientation.swapped()) {
        int x = orientation.mirrored() ? side - 1 - stored : stored;
        square.setRGB(x, 0, 1, side, upright, 0, 1);
      } else {
        int y = orientation.flipped() ? side - 1 - stored : stored;
        square.setRGB(0, y, side, 1, upright, 0, side);
      }
    }
    return square;
  }

  /** The square's part of a stored row: 0xRRGGBB. */
  private int[] row(int y) {
    ColorModel model = image.getColorModel();
    int[] row = new int[side];
    if (!(model instanceof ComponentColorModel)) { // a palette, or bits packed into a number
      image.getRGB(left, y, side, 1, row, 0, side);
      for (int i = 0; i < side; i++) {
        int alpha = model.hasAlpha() ? row[i] >>> 24 : 255;
        row[i] = colour(row[i] >> 16 & 255, row[i] >> 8 & 255, row[i] & 255, alpha);
      }
      return row;
    }
    Raster raster = image.getRaster();
    int bands = raster.getNumBands();
    int shift = Math.max(0, model.getComponentSize(0) - 8);
    int[] samples = raster.getPixels(left, y, side, 1, (int[]) null);
    int green = bands < 3 ? 0 : 1;
    int blue = bands < 3 ? 0 : 2;
    for (int i = 0, at = 0; i < side; i++, at += bands) {
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
