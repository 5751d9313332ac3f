package dev.jformer.data.image;

import dev.jformer.data.DataException;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.imageio.ImageIO;

/**
 * Decodes image files to squares of pixels: the largest square in the middle, scaled to the wanted
 * size. Transparent pixels are drawn on black; grey images get three equal channels.
 */
public final class Picture {
  /** Red, green and blue. */
  public static final int CHANNELS = 3;

  /** Larger images are refused as a mistake or an attack. */
  private static final long MOST_PIXELS = 400_000_000;

  static {
    ImageIO.setUseCache(false);
  }

  private Picture() {}

  /**
   * Decodes an image file to pixels, channel by channel, row by row: [3, size, size].
   *
   * @param name of the file, for messages
   * @throws DataException if it is damaged or of another format
   */
  public static byte[] decode(String name, byte[] content, int size) {
    BufferedImage image;
    try (var in = ImageIO.createImageInputStream(new ByteArrayInputStream(content))) {
      var readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        throw new DataException(
            name + " is not an image that can be read: expected JPEG, PNG, GIF or BMP");
      }
      var reader = readers.next();
      try {
        reader.setInput(in, true, true);
        long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
        if (pixels > MOST_PIXELS) {
          throw new DataException(
              name + " has " + pixels + " pixels: expected at most " + MOST_PIXELS);
        }
        image = reader.read(0);
      } finally {
        reader.dispose();
      }
    } catch (IOException | RuntimeException e) {
      if (e instanceof DataException known) {
        throw known;
      }
      throw new DataException(name + " is damaged: " + e.getMessage(), e);
    }
    return planes(square(image, size), size);
  }

  private static BufferedImage square(BufferedImage image, int size) {
    int side = Math.min(image.getWidth(), image.getHeight());
    int left = (image.getWidth() - side) / 2;
    int top = (image.getHeight() - side) / 2;
    BufferedImage now = draw(image, left, top, side, side);
    // Halves first: one bilinear step over several pixels would skip some.
    while (side >= 2 * size) {
      now = draw(now, 0, 0, side, side / 2);
      side /= 2;
    }
    return side == size ? now : draw(now, 0, 0, side, size);
  }

  private static BufferedImage draw(BufferedImage from, int left, int top, int side, int size) {
    BufferedImage result = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = result.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    graphics.drawImage(from, 0, 0, size, size, left, top, left + side, top + side, null);
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
