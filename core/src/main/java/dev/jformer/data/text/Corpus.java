package dev.jformer.data.text;

import dev.jformer.data.DataException;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.internal.ZipArchive;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A corpus of UTF-8 text: a file, all files of a folder and the folders below it, or all entries of
 * a zip or jar file. It is read in pieces of bounded size, so that it may be larger than memory,
 * always in the same order: by path.
 */
public final class Corpus {
  private final Path source;
  private final List<String> endings;
  private final List<Document> documents;

  private record Document(String name, Path file, String entry, long bytes, long modified) {}

  /** Receives the text of a corpus, piece by piece. */
  public interface Reader {
    /** Receives a piece of a document; pieces end between characters, and mostly between lines. */
    void piece(String text) throws IOException;

    /** Called after the last piece of a document. */
    default void endOfDocument(String name) throws IOException {}
  }

  private Corpus(Path source, List<String> endings, List<Document> documents) {
    this.source = source;
    this.endings = endings;
    this.documents = documents;
  }

  /**
   * Finds a corpus' documents.
   *
   * @param endings suffixes of the files to take, for example {@code .java}; empty for all. A
   *     single file is always taken.
   * @throws DataException if there is nothing to read
   */
  public static Corpus open(Path source, List<String> endings) {
    try {
      List<Document> documents = new ArrayList<>();
      if (Files.isDirectory(source)) {
        folder(source, endings, documents);
      } else if (!Files.exists(source)) {
        throw new DataException("no such file or folder: " + source);
      } else if (!Files.isRegularFile(source)) {
        throw new DataException(
            source + " is not a regular file: expected a file, a folder or a zip file of text");
      } else if (isZip(source)) {
        zip(source, endings, documents);
      } else {
        documents.add(document(source.toString(), source));
      }
      if (documents.stream().mapToLong(Document::bytes).sum() == 0) {
        throw new DataException(
            source
                + " holds no text"
                + (endings.isEmpty() ? "" : " in files that end in " + String.join(", ", endings)));
      }
      documents.sort(Comparator.comparing(Document::name));
      return new Corpus(source, List.copyOf(endings), List.copyOf(documents));
    } catch (IOException | java.io.UncheckedIOException e) {
      throw new DataException("cannot read " + source + ": " + e.getMessage(), e);
    }
  }

  private static void folder(Path folder, List<String> endings, List<Document> documents)
      throws IOException {
    BiPredicate<Path, BasicFileAttributes> visible =
        (file, attributes) -> attributes.isRegularFile() || Files.isRegularFile(file);
    try (Stream<Path> tree = Files.find(folder, Integer.MAX_VALUE, visible)) {
      for (Path file : tree.toList()) {
        String name = folder.relativize(file).toString().replace('\\', '/');
        boolean hidden = name.startsWith(".") || name.contains("/.");
        if (!hidden && matches(name, endings)) {
          documents.add(document(name, file));
        }
      }
    }
  }

  private static Document document(String name, Path file) throws IOException {
    BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
    return new Document(name, file, null, found.size(), found.lastModifiedTime().toMillis());
  }

  private static void zip(Path file, List<String> endings, List<Document> documents)
      throws IOException {
    long modified = Files.getLastModifiedTime(file).toMillis();
    try (ZipFile zip = ZipArchive.open(file)) {
      Enumeration<? extends ZipEntry> entries = zip.entries();
      while (entries.hasMoreElements()) {
        ZipEntry entry = entries.nextElement();
        String name = entry.getName();
        if (!entry.isDirectory() && matches(name, endings)) {
          documents.add(new Document(name, file, name, Math.max(0, entry.getSize()), modified));
        }
      }
    }
  }

  private static boolean isZip(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(".zip") || name.endsWith(".jar");
  }

  private static boolean matches(String name, List<String> endings) {
    return endings.isEmpty() || endings.stream().anyMatch(name::endsWith);
  }

  /** Bytes of UTF-8 in all documents. */
  public long bytes() {
    return documents.stream().mapToLong(Document::bytes).sum();
  }

  /** Number of documents. */
  public int documents() {
    return documents.size();
  }

  /** A digest of names, sizes and modification times, which changes when the corpus changes. */
  public String fingerprint() throws IOException {
    StringBuilder text = new StringBuilder();
    for (Document document : documents) {
      text.append(document.name).append('\t').append(document.bytes).append('\t');
      text.append(document.modified).append('\n');
    }
    return Fingerprint.of(text.toString().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Reads all documents.
   *
   * @throws DataException if one is not valid UTF-8; the message says where
   */
  public void read(Reader reader) throws IOException {
    Utf8Pieces pieces = new Utf8Pieces();
    ZipFile zip = null;
    try {
      for (Document document : documents) {
        if (document.entry == null) {
          try (InputStream in = Files.newInputStream(document.file)) {
            read(document, in, pieces, reader);
          }
        } else {
          zip = zip == null ? ZipArchive.open(document.file) : zip;
          try (InputStream in = zip.getInputStream(zip.getEntry(document.entry))) {
            read(document, in, pieces, reader);
          } catch (ZipException | EOFException e) {
            throw ZipArchive.damaged(source, document.entry, e);
          }
        }
        reader.endOfDocument(document.name);
      }
    } finally {
      if (zip != null) {
        zip.close();
      }
    }
  }

  private void read(Document document, InputStream in, Utf8Pieces pieces, Reader reader)
      throws IOException {
    String name = document.name + (document.entry == null ? "" : " in " + source);
    long found = pieces.read(name, document.bytes, in, reader);
    if (found != document.bytes) {
      throw new DataException(
          document.entry == null
              ? "%s has %d bytes, but %d when its folder was listed: train when it is not written to"
                  .formatted(name, found, document.bytes)
              : "%s has %d bytes or more, but the directory of the zip file says %d: pack it again"
                  .formatted(name, found, document.bytes));
    }
  }

  /** The source, and the endings if only some files were taken. */
  @Override
  public String toString() {
    return source + (endings.isEmpty() ? "" : " (" + String.join(", ", endings) + ")");
  }
}
