package dev.jformer.data.image;

import dev.jformer.data.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads image files into memory, as far as it goes. */
final class ImageContent {
  /** Larger files are refused as a mistake or an attack. */
  private static final int MOST = (int) Math.min(1 << 28, DecodingMemory.bytes() / 2);

  private ImageContent() {}

  /** The bytes of a file; a device or a pipe, which may have no end, is refused. */
  static byte[] of(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new DataException("no such file: " + file);
    }
    if (!Files.isRegularFile(file)) {
      throw new DataException(file + " is not a regular file: expected an image; remove it");
    }
    try (InputStream in = Files.newInputStream(file)) {
      return of(file.toString(), in);
    }
  }

  /** The bytes of a stream. */
  static byte[] of(String name, InputStream in) throws IOException {
    byte[] content = in.readNBytes(MOST);
    if (content.length == MOST && in.read() >= 0) {
      throw new DataException(
          "%s has more than %,d MB: expected an image; remove it".formatted(name, MOST >> 20));
    }
    return content;
  }
}
