package dev.jformer.studies.evidence;

import java.nio.ByteBuffer;
import java.util.Base64;

/**
 * A picture in a report, such as images that a model made.
 *
 * @param title of the picture
 * @param png the content of a PNG file, in base64
 */
public record Picture(String title, String png) {
  /** Where a PNG file says its width, then its height. */
  private static final int SIZE = 16;

  /** Checks that it is a PNG file. */
  public Picture {
    byte[] content = Base64.getDecoder().decode(png);
    if (content.length < SIZE + 8 || content[1] != 'P' || content[2] != 'N' || content[3] != 'G') {
      throw new IllegalArgumentException("the picture '" + title + "' is no PNG file");
    }
  }

  /** A picture from the content of a PNG file. */
  public static Picture of(String title, byte[] png) {
    return new Picture(title, Base64.getEncoder().encodeToString(png));
  }

  /** The width in pixels. */
  public int width() {
    return ByteBuffer.wrap(Base64.getDecoder().decode(png)).getInt(SIZE);
  }

  /** The height in pixels. */
  public int height() {
    return ByteBuffer.wrap(Base64.getDecoder().decode(png)).getInt(SIZE + Integer.BYTES);
  }
}
