package dev.jformer.data.image;

import dev.jformer.data.DataException;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Decodes image files to squares of pixels: the largest square in the middle, scaled to the wanted
 * size, upright as EXIF data say. Transparent pixels are drawn on black; grey images get three
 * equal channels.
 */
public final class Picture {
  /** Red, green and blue. */
  public static final int CHANNELS = 3;

  private Picture() {}

  /**
   * Decodes an image file to pixels, channel by channel, row by row: [3, size, size].
   *
   * @param name of the file, for messages
   * @throws DataException if it is damaged, too large for the memory or of another format
   */
  public static byte[] decode(String name, byte[] content, int size) {
    Orientation orientation = Orientation.of(content);
    return ImageDecoder.decode(
        name, content, image -> planes(scaled(RgbSquare.of(image, orientation), size), size));
  }

  /**
   * Like {@link #decode(String, byte[], int)}, for a file.
   *
   * @throws DataException if it is no regular file, or larger than the memory allows
   * @throws IOException if it cannot be read
   */
  public static byte[] decode(Path file, int size) throws IOException {
    return decode(file.toString(), ImageContent.of(file), size);
  }

  private static BufferedImage scaled(BufferedImage square, int size) {
    BufferedImage now = square;
    int side = square.getWidth();
    // Halves first: one bilinear step over several pixels would skip some.
    while (side >= 2 * size) {
      now = draw(now, side, side / 2);
      side /= 2;
    }
    return side == size ? now : draw(now, side, size);
  }

  private static BufferedImage draw(BufferedImage from, int side, int size) {
    BufferedImage result = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = result.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    graphics.drawImage(from, 0, 0, size, size, 0, 0, side, side, null);
    graphics.dispose();
    return result;
  }

  private static byte[] planes(BufferedImage image, int size) {
    int[] rgb = image.getRGB(0, 0, size, size, null, 0, size);
    int area = size * size;
    byte[] planes = new byte[CHANNELS * area];
    for (int i = 0; i < area; i++) {
      planes[i] = (byte) (rgb[i] >> 16);
      planes[area + i] = (byte) (rgb[i] >> 8);
      planes[2 * area + i] = (byte) rgb[i];
    }
    return planes;
  }
}
