package dev.jformer.data.image;

import dev.jformer.data.DataException;
import dev.jformer.model.vision.Framing;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/** Decodes images on all processors, some at a time, and writes their pixels in order. */
final class PixelWriter implements ImageSource.Reader {
  private static final int TOGETHER = 512;
  private static final long BYTES_TOGETHER = Math.min(1 << 28, DecodingMemory.bytes() / 4);
  private static final int NAMED = 5;

  private final OutputStream out;
  private final int size;
  private final Framing framing;
  private final LongConsumer progress;
  private final List<String> names = new ArrayList<>();
  private final List<byte[]> contents = new ArrayList<>();
  private final ConcurrentLinkedQueue<String> broken = new ConcurrentLinkedQueue<>();
  private long bytes;
  private long done;

  /**
   * A writer.
   *
   * @param size height and width of all images
   * @param progress called with the number of images done so far
   */
  PixelWriter(OutputStream out, int size, Framing framing, LongConsumer progress) {
    this.out = out;
    this.size = size;
    this.framing = framing;
    this.progress = progress;
  }

  @Override
  public void image(ImageSource.Entry entry, byte[] content) throws IOException {
    names.add(entry.name());
    contents.add(content);
    bytes += content.length;
    if (names.size() == TOGETHER || bytes > BYTES_TOGETHER) {
      decode();
    }
  }

  private void decode() throws IOException {
    byte[][] decoded = new byte[names.size()][];
    IntStream.range(0, decoded.length)
        .parallel()
        .forEach(
            i -> {
              try {
                decoded[i] = Picture.decode(names.get(i), contents.get(i), size, framing);
              } catch (DataException e) {
                broken.add(e.getMessage());
              }
            });
    for (byte[] image : decoded) {
      if (image != null) {
        out.write(image);
      }
    }
    done += names.size();
    names.clear();
    contents.clear();
    bytes = 0;
    progress.accept(done);
  }

  /**
   * Writes the images that are left.
   *
   * @throws DataException if images are damaged; the message names some
   */
  void finish(ImageSource source) throws IOException {
    if (!names.isEmpty()) {
      decode();
    }
    if (!broken.isEmpty()) {
      throw new DataException(
          broken.size()
              + " of "
              + source.count()
              + " images in "
              + source
              + " cannot be read: "
              + String.join("; ", broken.stream().sorted().limit(NAMED).toList())
              + (broken.size() > NAMED ? "; …" : ""));
    }
  }
}
