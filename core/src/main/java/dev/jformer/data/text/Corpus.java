package dev.jformer.data.text;

import dev.jformer.data.DataException;
import dev.jformer.data.Fingerprint;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A corpus of UTF-8 text: a file, all files of a folder and the folders below it, or all entries of
 * a zip or jar file. It is read in pieces of bounded size, so that it may be larger than memory,
 * always in the same order: by path.
 */
public final class Corpus {
  private static final int PIECE = 1 << 20;

  private final Path source;
  private final List<String> endings;
  private final List<Document> documents;

  private record Document(String name, Path file, String entry, long bytes) {}

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
      } else if (isZip(source)) {
        zip(source, endings, documents);
      } else {
        documents.add(new Document(source.toString(), source, null, Files.size(source)));
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
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path file : tree.filter(Files::isRegularFile).toList()) {
        String name = folder.relativize(file).toString().replace('\\', '/');
        boolean hidden = name.startsWith(".") || name.contains("/.");
        if (!hidden && matches(name, endings)) {
          documents.add(new Document(name, file, null, Files.size(file)));
        }
      }
    }
  }

  private static void zip(Path file, List<String> endings, List<Document> documents)
      throws IOException {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      Enumeration<? extends ZipEntry> entries = zip.entries();
      while (entries.hasMoreElements()) {
        ZipEntry entry = entries.nextElement();
        if (!entry.isDirectory() && matches(entry.getName(), endings)) {
          documents.add(
              new Document(entry.getName(), file, entry.getName(), Math.max(0, entry.getSize())));
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
      text.append(Files.getLastModifiedTime(document.file).toMillis()).append('\n');
    }
    return Fingerprint.of(text.toString().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Reads all documents.
   *
   * @throws DataException if one is not valid UTF-8; the message says where
   */
  public void read(Reader reader) throws IOException {
    ZipFile zip = null;
    try {
      for (Document document : documents) {
        if (document.entry == null) {
          try (InputStream in = Files.newInputStream(document.file)) {
            read(document, in, reader);
          }
        } else {
          zip = zip == null ? new ZipFile(document.file.toFile()) : zip;
          try (InputStream in = zip.getInputStream(zip.getEntry(document.entry))) {
            read(document, in, reader);
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

  private void read(Document document, InputStream in, Reader reader) throws IOException {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer bytes = ByteBuffer.allocate(PIECE);
    CharBuffer chars = CharBuffer.allocate(PIECE + 4);
    StringBuilder rest = new StringBuilder();
    long consumed = 0;
    boolean end = false;
    while (!end) {
      int count = in.readNBytes(bytes.array(), bytes.position(), bytes.remaining());
      end = bytes.position() + count < bytes.limit();
      bytes.position(bytes.position() + count).flip();
      CoderResult result = decoder.decode(bytes, chars, end);
      if (result.isError()) {
        throw new DataException(
            document.name
                + (document.entry == null ? "" : " in " + source)
                + " is not valid UTF-8 at byte "
                + (consumed + bytes.position())
                + ": convert it, for example with iconv");
      }
      consumed += bytes.position();
      bytes.compact();
      rest.append(chars.flip());
      chars.clear();
      int cut = end ? rest.length() : safeCut(rest);
      if (cut > 0) {
        reader.piece(rest.substring(0, cut));
        rest.delete(0, cut);
      }
    }
  }

  /**
   * A position after a line break between two visible characters: tokenizers never join text across
   * such a break.
   */
  private static int safeCut(CharSequence text) {
    for (int i = text.length() - 2; i > 1; i--) {
      if (text.charAt(i) == '\n'
          && !Character.isWhitespace(text.charAt(i - 1))
          && !Character.isWhitespace(text.charAt(i + 1))) {
        return i + 1;
      }
    }
    boolean pair = Character.isHighSurrogate(text.charAt(text.length() - 1));
    return text.length() - (pair ? 1 : 0);
  }

  /** The source, and the endings if only some files were taken. */
  @Override
  public String toString() {
    return source + (endings.isEmpty() ? "" : " (" + String.join(", ", endings) + ")");
  }
}
