package dev.jformer.data.image;

import dev.jformer.data.DataException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.function.Function;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.event.IIOReadWarningListener;
import javax.imageio.stream.ImageInputStream;

/**
 * Decodes JPEG, PNG, GIF and BMP files with the readers of Java and, for JPEG, of TwelveMonkeys.
 * Files that end too early are refused. Colour profiles are ignored, as by Python's Pillow, so that
 * models see the numbers in the file.
 */
final class ImageDecoder {
  /** Larger images are refused as a mistake or an attack. */
  private static final long MOST_PIXELS = 400_000_000;

  /** What the JPEG reader says when it makes up pixels for those that are missing. */
  private static final String[] INCOMPLETE = {"Truncated File", "premature end of data"};

  private static final int SOS = 0xda;
  private static final int APP2 = 0xe2;
  private static final byte[] PROFILE = "ICC_PROFILE\0".getBytes(StandardCharsets.US_ASCII);

  static {
    ImageIO.setUseCache(false);
  }

  private ImageDecoder() {}

  /**
   * Decodes an image and passes it on while its memory is reserved.
   *
   * @param name of the file, for messages
   * @param whole whether all of it is used, not only a square
   * @throws DataException if it is damaged, too large or of another format
   */
  static <T> T decode(String name, byte[] content, boolean whole, Function<BufferedImage, T> use) {
    byte[] plain = isJpeg(content) ? withoutProfiles(content) : content;
    try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(plain))) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        throw new DataException(
            name + " is not an image that can be read: expected JPEG, PNG, GIF or BMP");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(in, true, true);
        return DecodingMemory.with(
            name, memory(name, reader, whole), () -> use.apply(read(name, reader)));
      } finally {
        reader.dispose();
      }
    } catch (IOException | RuntimeException e) {
      throw e instanceof DataException known ? known : damaged(name, e);
    }
  }

  private static DataException damaged(String name, Exception e) {
    return new DataException(name + " is damaged: " + reason(e) + "; repair or remove it", e);
  }

  private static String reason(Exception e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    if (cause instanceof EOFException) {
      return "its end is missing";
    }
    return cause instanceof IOException && cause.getMessage() != null
        ? cause.getMessage().strip().replaceAll("\\s+", " ")
        : "it cannot be decoded";
  }

  /**
   * The bytes that an image takes while it is decoded: its own, and those of its square in RGB, or
   * of all of it.
   */
  private static long memory(String name, ImageReader reader, boolean whole) throws IOException {
    long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
    if (pixels > MOST_PIXELS) {
      throw new DataException(
          "%s has %d x %d pixels: expected at most %,d; scale it down"
              .formatted(name, reader.getWidth(0), reader.getHeight(0), MOST_PIXELS));
    }
    ImageTypeSpecifier type = reader.getRawImageType(0);
    int bits = type == null ? 32 : type.getColorModel().getPixelSize();
    long side = Math.min(reader.getWidth(0), reader.getHeight(0));
    return pixels * ((bits + 7) / 8 + 1) + 4 * (whole ? pixels : side * side);
  }

  private static BufferedImage read(String name, ImageReader reader) {
    boolean[] incomplete = new boolean[1];
    IIOReadWarningListener listener =
        (source, warning) ->
            incomplete[0] |= Arrays.stream(INCOMPLETE).anyMatch(String.valueOf(warning)::contains);
    reader.addIIOReadWarningListener(listener);
    BufferedImage image;
    try {
      image = reader.read(0);
    } catch (IOException e) {
      throw damaged(name, e);
    }
    if (incomplete[0]) {
      throw new DataException(name + " is damaged: its end is missing; repair or remove it");
    }
    return image;
  }

  private static boolean isJpeg(byte[] content) {
    return content.length > 4 && (content[0] & 0xff) == 0xff && (content[1] & 0xff) == 0xd8;
  }

  /** A JPEG file without its colour profiles. */
  private static byte[] withoutProfiles(byte[] jpeg) {
    ByteArrayOutputStream plain = new ByteArrayOutputStream(jpeg.length);
    plain.write(jpeg, 0, 2);
    int at = 2;
    while (at + 4 <= jpeg.length && (jpeg[at] & 0xff) == 0xff && (jpeg[at + 1] & 0xff) != SOS) {
      int length = 2 + ((jpeg[at + 2] & 0xff) << 8 | (jpeg[at + 3] & 0xff));
      int end = Math.min(jpeg.length, at + length);
      if (!isProfile(jpeg, at, end)) {
        plain.write(jpeg, at, end - at);
      }
      at = end;
    }
    plain.write(jpeg, at, jpeg.length - at);
    return plain.toByteArray();
  }

  private static boolean isProfile(byte[] jpeg, int at, int end) {
    int from = at + 4;
    return (jpeg[at + 1] & 0xff) == APP2
        && from + PROFILE.length <= end
        && Arrays.equals(jpeg, from, from + PROFILE.length, PROFILE, 0, PROFILE.length);
  }
}
