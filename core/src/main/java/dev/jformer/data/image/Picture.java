package dev.jformer.data.image;

import dev.jformer.data.DataException;
import dev.jformer.model.vision.Framing;
import dev.jformer.tensor.Tensor;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Decodes image files to squares of pixels: the largest square in the middle, or the whole picture
 * squeezed, scaled to the wanted size, upright as EXIF data say. Transparent pixels are drawn on
 * black; grey images get three equal channels.
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
  public static byte[] decode(String name, byte[] content, int size, Framing framing) {
    Orientation orientation = Orientation.of(content);
    boolean halving = framing.filter() == Framing.Filter.HALVING;
    return ImageDecoder.decode(
        name,
        content,
        !halving,
        image ->
            halving
                ? planes(scaled(RgbImage.square(image, orientation), size), size)
                : resampled(RgbImage.whole(image, orientation), size, framing));
  }

  /** Like {@link #decode(String, byte[], int, Framing)}, framed in the default way. */
  public static byte[] decode(String name, byte[] content, int size) {
    return decode(name, content, size, new Framing());
  }

  /**
   * Like {@link #decode(String, byte[], int, Framing)}, for a file.
   *
   * @throws DataException if it is no regular file, or larger than the memory allows
   * @throws IOException if it cannot be read
   */
  public static byte[] decode(Path file, int size, Framing framing) throws IOException {
    return decode(file.toString(), ImageContent.of(file), size, framing);
  }

  /**
   * Decodes an image file to all of its pixels, in its own size and upright.
   *
   * @return [3, H, W], 0 to 1
   * @throws DataException if it is no regular file, damaged, too large or of another format
   * @throws IOException if it cannot be read
   */
  public static Tensor whole(Path file) throws IOException {
    byte[] content = ImageContent.of(file);
    Orientation orientation = Orientation.of(content);
    return ImageDecoder.decode(
        file.toString(),
        content,
        true,
        decoded -> {
          BufferedImage image = RgbImage.whole(decoded, orientation);
          int height = image.getHeight();
          int width = image.getWidth();
          byte[] planes = planes(image);
          float[] values = new float[planes.length];
          for (int p = 0; p < values.length; p++) {
            values[p] = (planes[p] & 255) / 255f;
          }
          return Tensor.of(values, CHANNELS, height, width);
        });
  }

  private static byte[] resampled(BufferedImage image, int size, Framing framing) {
    int side = framing.side() == 0 ? size : framing.side();
    int shorter = Math.min(image.getWidth(), image.getHeight());
    return Resampler.of(framing.filter())
        .planes(
            image,
            part(image.getWidth(), shorter, side, size, framing.whole()),
            part(image.getHeight(), shorter, side, size, framing.whole()));
  }

  /** The middle of a side that is resized: all of it to one length, or in proportion. */
  private static Resampler.Part part(int length, int shorter, int side, int size, boolean whole) {
    long resized = whole ? side : (long) side * length / shorter;
    return new Resampler.Part(resized, (resized - size) / 2, size);
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
    return planes(image.getRGB(0, 0, size, size, null, 0, size));
  }

  private static byte[] planes(BufferedImage image) {
    int width = image.getWidth();
    return planes(image.getRGB(0, 0, width, image.getHeight(), null, 0, width));
  }

  private static byte[] planes(int[] rgb) {
    int area = rgb.length;
    byte[] planes = new byte[CHANNELS * area];
    for (int i = 0; i < area; i++) {
      planes[i] = (byte) (rgb[i] >> 16);
      planes[area + i] = (byte) (rgb[i] >> 8);
      planes[2 * area + i] = (byte) rgb[i];
    }
    return planes;
  }
}
