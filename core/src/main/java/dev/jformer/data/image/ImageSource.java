package dev.jformer.data.image;

import dev.jformer.data.DataException;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.internal.SourceFiles;
import dev.jformer.data.internal.ZipArchive;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A source of images in folders named after their classes, as {@code cat/1.jpg}: a folder or a zip
 * file of such folders. Images may lie deeper; outer folders that contain all images are skipped.
 * Files and folders whose names begin with a dot, and files that are not images, are ignored.
 * Classes are in alphabetical order, images by path.
 */
public final class ImageSource {
  private static final Set<String> READABLE = Set.of("jpg", "jpeg", "png", "gif", "bmp");
  private static final Set<String> UNREADABLE =
      Set.of("webp", "heic", "heif", "avif", "jxl", "jp2", "svg", "tif", "tiff", "psd");

  private final Path source;
  private final boolean zip;
  private final List<String> classes;
  private final List<Entry> entries;

  /**
   * An image of the source.
   *
   * @param name its path in the source
   * @param label index of its class
   */
  record Entry(String name, int label) {}

  /** Receives images. */
  interface Reader {
    /** Receives the bytes of an image file. */
    void image(Entry entry, byte[] content) throws IOException;
  }

  private ImageSource(Path source, boolean zip, List<String> classes, List<Entry> entries) {
    this.source = source;
    this.zip = zip;
    this.classes = classes;
    this.entries = entries;
  }

  /**
   * Lists the images of a source.
   *
   * @throws DataException if there are none, some are in no class folder, a class is empty, or some
   *     have a format that cannot be read
   */
  public static ImageSource open(Path source) {
    SourceFiles files = SourceFiles.of(source, "images", " for each class");
    List<String> images = images(source, files.names());
    String common = common(images);
    SortedSet<String> classes = new TreeSet<>();
    for (String image : images) {
      int end = image.indexOf('/', common.length());
      if (end < 0) {
        throw new DataException(
            image
                + " in "
                + source
                + " is in no class folder: expected folders named after classes, such as cat/"
                + image.substring(common.length()));
      }
      classes.add(image.substring(common.length(), end));
    }
    for (String name : files.folders()) {
      boolean isClass =
          name.startsWith(common)
              && name.length() > common.length()
              && name.indexOf('/', common.length()) < 0;
      if (isClass && !classes.contains(name.substring(common.length()))) {
        throw new DataException(
            "the class folder "
                + name
                + " in "
                + source
                + " holds no image: add some, or delete it");
      }
    }
    List<String> names = List.copyOf(classes);
    List<Entry> entries = new ArrayList<>();
    for (String image : images) {
      String name = image.substring(common.length(), image.indexOf('/', common.length()));
      entries.add(new Entry(image, java.util.Collections.binarySearch(names, name)));
    }
    return new ImageSource(source, !Files.isDirectory(source), names, List.copyOf(entries));
  }

  /**
   * Lists the images of a source whatever folders they are in, all of one class without a name.
   *
   * @throws DataException if there are none, or some have a format that cannot be read
   */
  public static ImageSource unlabelled(Path source) {
    List<String> images = images(source, SourceFiles.of(source, "images", "").names());
    List<Entry> entries = images.stream().map(name -> new Entry(name, 0)).toList();
    return new ImageSource(source, !Files.isDirectory(source), List.of(""), entries);
  }

  private static List<String> images(Path source, List<String> files) {
    List<String> images = new ArrayList<>();
    for (String file : files) {
      String ending = file.substring(file.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
      if (UNREADABLE.contains(ending)) {
        throw new DataException(
            file
                + " in "
                + source
                + " has a format that cannot be read: expected JPEG, PNG, GIF or BMP; convert"
                + " or remove it");
      }
      if (READABLE.contains(ending)) {
        images.add(file);
      }
    }
    if (images.isEmpty()) {
      throw new DataException(
          source
              + " holds no images: expected files in JPEG, PNG, GIF or BMP, in a folder for each"
              + " class if there are classes");
    }
    images.sort(Comparator.naturalOrder());
    return images;
  }

  /** The outer folders, with a slash at the end, that contain all images and are not a class. */
  private static String common(List<String> images) {
    String first = images.get(0);
    String common = "";
    while (true) {
      int end = first.indexOf('/', common.length());
      String next = end < 0 ? null : first.substring(0, end + 1);
      // A folder without folders below it is a class, even if it is the only one.
      boolean shared =
          next != null
              && images.stream()
                  .allMatch(i -> i.startsWith(next) && i.indexOf('/', next.length()) >= 0);
      if (!shared) {
        return common;
      }
      common = next;
    }
  }

  /** Names of the classes, in order. */
  public List<String> classes() {
    return classes;
  }

  /** Number of images. */
  public int count() {
    return entries.size();
  }

  List<Entry> entries() {
    return entries;
  }

  /** A digest of names, sizes and modification times, which changes when the images change. */
  String fingerprint() throws IOException {
    StringBuilder text = new StringBuilder();
    if (zip) {
      text.append(Files.size(source)).append(' ');
      text.append(Files.getLastModifiedTime(source).toMillis()).append('\n');
    }
    for (Entry entry : entries) {
      text.append(entry.name).append('\t');
      if (!zip) {
        Path file = source.resolve(entry.name);
        text.append(Files.size(file)).append('\t');
        text.append(Files.getLastModifiedTime(file).toMillis());
      }
      text.append('\n');
    }
    return Fingerprint.of(text.toString().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Reads all images, in order.
   *
   * @throws DataException if one is not a regular file, or has more bytes than the memory allows
   */
  void read(Reader reader) throws IOException {
    if (!zip) {
      for (Entry entry : entries) {
        reader.image(entry, ImageContent.of(source.resolve(entry.name)));
      }
      return;
    }
    try (ZipFile file = ZipArchive.open(source)) {
      for (Entry entry : entries) {
        try (InputStream in = file.getInputStream(file.getEntry(entry.name))) {
          reader.image(entry, ImageContent.of(entry.name + " in " + source, in));
        } catch (ZipException | EOFException e) {
          throw ZipArchive.damaged(source, entry.name, e);
        }
      }
    }
  }

  /** The source's path. */
  @Override
  public String toString() {
    return source.toString();
  }
}
