package dev.jformer.io;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads files of a folder that belong together while another process may replace them: reads again
 * until none was replaced meanwhile.
 */
public final class ConsistentRead {
  private static final long LONGEST_NANOS = 2_000_000_000;
  private static final Duration PAUSE = Duration.ofMillis(10);

  private static final String CUT_OFF =
      " (files in it, whose names begin with "
          + AtomicFile.PREFIX
          + ", are of a command that still writes there or was cut off: run that command again)";

  private ConsistentRead() {}

  /** Reads the files; what it returns is closed if it is not used. */
  public interface Reader<T extends AutoCloseable> {
    /** Reads the files. */
    T read() throws IOException;
  }

  /** What tells a file from another one that took its place. */
  private record Stamp(Object key, FileTime written, long bytes) {}

  /**
   * Reads files of a folder.
   *
   * @param names of the files; not all of them need to exist
   * @throws IOException if they are replaced again and again; or what {@code reader} throws
   */
  public static <T extends AutoCloseable> T of(Path folder, List<String> names, Reader<T> reader)
      throws IOException {
    long end = System.nanoTime() + LONGEST_NANOS;
    while (true) {
      List<Stamp> before = stamps(folder, names);
      try {
        T read = reader.read();
        if (before.equals(stamps(folder, names))) {
          return read;
        }
        close(read);
      } catch (IOException | RuntimeException e) {
        boolean isReplaced = isBeingReplaced(folder);
        boolean stays = before.equals(stamps(folder, names)) && !isReplaced;
        if (isReplaced && System.nanoTime() > end) {
          throw new IOException(e.getMessage() + CUT_OFF, e);
        }
        if (stays || System.nanoTime() > end) {
          throw e;
        }
      }
      if (System.nanoTime() > end) {
        throw new IOException(folder + " is being written to: try again");
      }
      Pause.of(PAUSE);
    }
  }

  private static List<Stamp> stamps(Path folder, List<String> names) {
    List<Stamp> stamps = new ArrayList<>();
    for (String name : names) {
      try {
        BasicFileAttributes file =
            Files.readAttributes(folder.resolve(name), BasicFileAttributes.class);
        stamps.add(new Stamp(file.fileKey(), file.lastModifiedTime(), file.size()));
      } catch (IOException e) {
        stamps.add(null); // there is none, or the reader will say what is wrong with it
      }
    }
    return stamps;
  }

  /** Whether new files lie beside their places. */
  private static boolean isBeingReplaced(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return false;
    }
    try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, AtomicFile.PREFIX + "*")) {
      return found.iterator().hasNext();
    }
  }

  private static void close(AutoCloseable read) throws IOException {
    try {
      read.close();
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    }
  }
}
