package dev.jformer.data.image;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;

/** Draws images side by side, row by row, with a gap of a pixel between them. */
public final class ImageGrid {
  private static final int GAP = 0x80_80_80;

  private ImageGrid() {}

  /**
   * Draws images as one picture.
   *
   * @param images [N, C, H, W], 0 to 1, which others are clipped to; C is 1 or 3
   * @param columns images in a row
   * @param scale pixels of the picture for each pixel of an image, in both directions
   * @return the content of a PNG file
   * @throws IllegalArgumentException if the images have another shape, or the picture would have
   *     more than 2^28 pixels
   */
  public static byte[] png(Tensor images, int columns, int scale) {
    if (images.rank() != 4 || images.size(0) < 1 || (images.size(1) != 1 && images.size(1) != 3)) {
      throw new IllegalArgumentException(
          "images are " + images.shape() + ": expected [N, C, H, W] with a C of 1 or 3");
    }
    int count = Math.toIntExact(images.size(0));
    int high = Math.toIntExact(images.size(2));
    int wide = Math.toIntExact(images.size(3));
    check(count, high, wide, columns, scale);
    int inRow = Math.min(columns, count);
    long tileHeight = (long) high * scale;
    long tileWidth = (long) wide * scale;
    long width = side(inRow, tileWidth);
    long height = side(rows(count, inRow), tileHeight);
    BufferedImage picture =
        new BufferedImage((int) width, (int) height, BufferedImage.TYPE_INT_RGB);
    int[] rgb = new int[(int) (width * height)];
    java.util.Arrays.fill(rgb, GAP);
    int[] colours = colours(images);
    for (int i = 0; i < count; i++) {
      int left = (int) (i % inRow * (tileWidth + 1));
      int top = (int) (i / inRow * (tileHeight + 1));
      for (int y = 0; y < tileHeight; y++) {
        for (int x = 0; x < tileWidth; x++) {
          rgb[(int) ((top + y) * width + left + x)] =
              colours[(i * high + y / scale) * wide + x / scale];
        }
      }
    }
    picture.setRGB(0, 0, (int) width, (int) height, rgb, 0, (int) width);
    return encoded(picture);
  }

  /**
   * Checks that a picture can be drawn, before its images are made.
   *
   * @param count number of images
   * @param high height of an image
   * @param width of an image
   * @param columns as in {@link #png}
   * @param scale as in {@link #png}
   * @throws IllegalArgumentException if the picture would have more than 2^28 pixels
   */
  public static void check(int count, int high, int width, int columns, int scale) {
    if (columns < 1 || scale < 1) {
      throw new IllegalArgumentException(
          "columns is " + columns + " and scale is " + scale + ": expected at least 1");
    }
    int inRow = Math.min(columns, count);
    long across = side(inRow, (long) width * scale);
    long down = side(rows(count, inRow), (long) high * scale);
    if (across * down > 1L << 28) {
      throw new IllegalArgumentException(
          "a picture of "
              + across
              + " x "
              + down
              + " pixels is too large: make fewer images, or scale them less");
    }
  }

  private static int rows(int count, int columns) {
    return (count + columns - 1) / columns;
  }

  /** The pixels of tiles side by side with gaps. */
  private static long side(int tiles, long tile) {
    return tiles * tile + tiles - 1;
  }

  /** The colours of all pixels, image by image, row by row: 0xRRGGBB. */
  private static int[] colours(Tensor images) {
    Tensor three = images.size(1) == 3 ? images : images.expand(-1, 3, -1, -1);
    Tensor levels = three.to(DType.FLOAT32).clamp(0, 1).mul(255.0).round();
    int[] planes = levels.to(DType.INT32).contiguous().toInts();
    int area = Math.toIntExact(images.size(2) * images.size(3));
    int count = Math.toIntExact(images.size(0));
    int[] colours = new int[count * area];
    for (int i = 0; i < count; i++) {
      for (int p = 0; p < area; p++) {
        int at = 3 * i * area + p;
        colours[i * area + p] = planes[at] << 16 | planes[at + area] << 8 | planes[at + 2 * area];
      }
    }
    return colours;
  }

  private static byte[] encoded(BufferedImage picture) {
    try (ByteArrayOutputStream bytes = new ByteArrayOutputStream()) {
      ImageIO.write(picture, "png", bytes);
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot encode a picture", e);
    }
  }
}
