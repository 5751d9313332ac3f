package dev.jformer.studies.generation;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSource;
import dev.jformer.io.TemporaryFolder;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.trial.Digits;
import java.awt.image.BufferedImage;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.IntPredicate;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;

/**
 * Small grey images for diffusion models: to learn from, and to compare with what a model makes.
 * They are prepared in a temporary folder, which is deleted on close.
 */
final class GreyImages implements AutoCloseable {
  /**
   * A grey image.
   *
   * @param pixels 0 to 255, row by row
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Grey(int[] pixels, int label) {}

  private final TemporaryFolder folder;
  private final ImageFile training;
  private final ImageFile test;

  private GreyImages(int side, int size, List<Grey> learned, List<Grey> tested) {
    try {
      this.folder = TemporaryFolder.create("grey");
      this.training = prepared(folder.path().resolve("training"), side, size, learned);
      this.test = prepared(folder.path().resolve("test"), side, size, tested);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot prepare the images", e);
    }
  }

  /**
   * Articles of clothing (Fashion-MNIST), 28 x 28 pixels, reduced.
   *
   * @param size height and width of the reduced images
   * @param learned how many of the first training images are looked at
   * @param tested how many of the first test images
   * @param classes those that are taken
   */
  static GreyImages fashion(int size, int learned, int tested, IntPredicate classes) {
    return new GreyImages(28, size, idx("train", learned, classes), idx("t10k", tested, classes));
  }

  /** Handwritten digits of 8 x 8 pixels, of some classes; a fifth is the test. */
  static GreyImages digits(IntPredicate classes) {
    List<Grey> all = new ArrayList<>();
    try {
      for (int[] row : Digits.read()) {
        if (classes.test(row[64])) {
          all.add(new Grey(Arrays.stream(row).limit(64).map(v -> v * 255 / 16).toArray(), row[64]));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the digits", e);
    }
    int count = all.size() * 4 / 5;
    return new GreyImages(8, 8, all.subList(0, count), all.subList(count, all.size()));
  }

  /** Noise around fixed patterns, one for each class, to see that a study runs. */
  static GreyImages madeUp(int size, int classes, int first) {
    List<Grey> all = new ArrayList<>();
    SplittableRandom noise = new SplittableRandom(1);
    for (int i = 0; i < 8 * classes; i++) {
      int label = first + i % classes;
      SplittableRandom pattern = new SplittableRandom(label);
      int[] pixels = new int[size * size];
      for (int p = 0; p < pixels.length; p++) {
        pixels[p] = (pattern.nextInt(16) + noise.nextInt(3)) * 14;
      }
      all.add(new Grey(pixels, label));
    }
    return new GreyImages(
        size, size, all.subList(0, 6 * classes), all.subList(5 * classes, 8 * classes));
  }

  private static List<Grey> idx(String part, int count, IntPredicate classes) {
    String name = "fashion-mnist/" + part;
    try (DataInputStream images = open(name + "-images-idx3-ubyte.gz");
        DataInputStream labels = open(name + "-labels-idx1-ubyte.gz")) {
      images.skipNBytes(16);
      labels.skipNBytes(8);
      List<Grey> all = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        byte[] bytes = images.readNBytes(28 * 28);
        int[] pixels = new int[bytes.length];
        for (int p = 0; p < bytes.length; p++) {
          pixels[p] = bytes[p] & 255;
        }
        int label = labels.readUnsignedByte();
        if (classes.test(label)) {
          all.add(new Grey(pixels, label));
        }
      }
      return all;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name, e);
    }
  }

  private static DataInputStream open(String name) throws IOException {
    InputStream file = Files.newInputStream(DataSets.require(name));
    return new DataInputStream(new GZIPInputStream(file));
  }

  private static ImageFile prepared(Path place, int side, int size, List<Grey> images)
      throws IOException {
    Files.createDirectories(place);
    Path zip = place.resolve("images.zip");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
      out.setLevel(0);
      for (int i = 0; i < images.size(); i++) {
        Grey image = images.get(i);
        out.putNextEntry(new ZipEntry(String.format(Locale.ROOT, "%d/%d.bmp", image.label(), i)));
        BufferedImage picture = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < image.pixels().length; p++) {
          picture.setRGB(p % side, p / side, image.pixels()[p] * 0x010101);
        }
        ImageIO.write(picture, "bmp", out);
      }
    }
    return ImageFile.prepare(place.resolve("pixels"), ImageSource.open(zip), size, done -> {});
  }

  /** The images to learn from. */
  ImageFile training() {
    return training;
  }

  /** The images to compare with. */
  ImageFile test() {
    return test;
  }

  /** The number of classes. */
  int classes() {
    return training.header().classes().size();
  }

  /** The height and width of the images. */
  int size() {
    return training.header().size();
  }

  @Override
  public void close() {
    training.close();
    test.close();
    folder.close();
  }
}
