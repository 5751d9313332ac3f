package dev.jformer.data.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import dev.jformer.data.Fingerprint;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.DiskRoom;
import dev.jformer.io.FileTree;
import dev.jformer.model.vision.Framing;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Device;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * The pixels of images on disk, all of one size, memory-mapped: {@code pixels.bin}, and {@code
 * images.json} that describes them.
 */
public final class ImageFile implements AutoCloseable {
  private static final String PIXELS = "pixels.bin";
  private static final String HEADER = "images.json";

  /**
   * The description of the images.
   *
   * @param size height and width in pixels
   * @param classes names of the classes
   * @param labels index of each image's class
   * @param fingerprint of the source and the size
   */
  public record Header(int size, List<String> classes, List<Integer> labels, String fingerprint) {
    private boolean isSound() {
      return size > 0
          && fingerprint != null
          && classes != null
          && labels != null
          && labels.stream().allMatch(label -> label >= 0 && label < classes.size());
    }

    long bytes() {
      return (long) labels.size() * Picture.CHANNELS * size * size;
    }
  }

  private final Header header;
  private final Tensor pixels;

  private ImageFile(Header header, Tensor pixels) {
    this.header = header;
    this.pixels = pixels;
  }

  /**
   * Opens the images in a folder if they are those of this source in this size; otherwise reads
   * them from the source.
   *
   * @param size height and width
   * @param framing how pictures become squares
   * @param progress called with the number of images done so far
   * @throws DataException if images are damaged; the message names them
   * @throws IOException if the files cannot be written, or would fill the disk; nothing
   *     half-written is left
   */
  public static ImageFile prepare(
      Path folder, ImageSource source, int size, Framing framing, LongConsumer progress)
      throws IOException {
    FileTree.createFolder(folder);
    return prepare(folder, source, size, framing, progress, DiskRoom.of(folder));
  }

  /** Like the other, framed in the default way. */
  public static ImageFile prepare(Path folder, ImageSource source, int size, LongConsumer progress)
      throws IOException {
    return prepare(folder, source, size, new Framing(), progress);
  }

  static ImageFile prepare(
      Path folder,
      ImageSource source,
      int size,
      Framing framing,
      LongConsumer progress,
      DiskRoom room)
      throws IOException {
    String settings = framing.equals(new Framing()) ? "" + size : size + " " + framing;
    String fingerprint =
        Fingerprint.of((source.fingerprint() + settings).getBytes(StandardCharsets.UTF_8));
    if (Files.exists(folder.resolve(HEADER))) {
      try {
        ImageFile present = open(folder);
        if (present.header.fingerprint().equals(fingerprint)) {
          return present;
        }
        present.close();
      } catch (DataException damaged) {
        // The images are read again below.
      }
    }
    Files.deleteIfExists(folder.resolve(HEADER));
    long bytes = (long) source.entries().size() * Picture.CHANNELS * size * size;
    room.require("the pixels of " + source, bytes);
    try (AtomicFile file = AtomicFile.beside(folder.resolve(PIXELS))) {
      write(file, source, size, framing, progress);
      file.commit();
      List<Integer> labels = source.entries().stream().map(ImageSource.Entry::label).toList();
      Header header = new Header(size, source.classes(), labels, fingerprint);
      AtomicFile.write(folder.resolve(HEADER), new JsonMapper().writeValueAsBytes(header));
    }
    return open(folder);
  }

  private static void write(
      AtomicFile file, ImageSource source, int size, Framing framing, LongConsumer progress)
      throws IOException {
    try (OutputStream out = file.stream()) {
      PixelWriter writer = new PixelWriter(out, size, framing, progress);
      source.read(writer);
      writer.finish(source);
    }
  }

  /**
   * Opens the images in a folder.
   *
   * @throws DataException if there are none, or they are damaged
   */
  public static ImageFile open(Path folder) {
    Path file = folder.resolve(PIXELS);
    try {
      Header header =
          new JsonMapper().readValue(Files.readAllBytes(folder.resolve(HEADER)), Header.class);
      if (header == null || !header.isSound() || Files.size(file) != header.bytes()) {
        throw damaged(folder, null);
      }
      long size = header.size();
      Tensor bytes =
          Files.isWritable(file)
              ? Tensor.mapShared(file, DType.UINT8, header.bytes())
              : Tensor.map(file, DType.UINT8, header.bytes());
      return new ImageFile(header, bytes.view(-1, Picture.CHANNELS, size, size).keep());
    } catch (JsonProcessingException e) {
      throw damaged(folder, e);
    } catch (IOException e) {
      throw new DataException("no images in " + folder + ": " + e.getMessage(), e);
    }
  }

  private static DataException damaged(Path folder, Exception cause) {
    return new DataException(
        "the images in " + folder + " are damaged: delete the folder to have it written again",
        cause);
  }

  /** The description of the images. */
  public Header header() {
    return header;
  }

  /** Number of images. */
  public int count() {
    return header.labels().size();
  }

  /** The pixels of some images: uint8 [B, 3, S, S]. */
  Tensor pixels(int[] images) {
    Tensor some;
    try (Mode host = Device.host()) {
      some = pixels.indexSelect(0, Tensor.of(images, images.length));
    }
    return some.toCurrentDevice();
  }

  /** The labels of some images: int64 [B]. */
  Tensor labels(int[] images) {
    return Tensor.of(IntStream.of(images).mapToLong(image -> header.labels().get(image)).toArray());
  }

  /** Releases the mapping. */
  @Override
  public void close() {
    pixels.close();
  }
}
