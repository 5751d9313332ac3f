package dev.jformer.io;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Watches the room on a disk while a large file is written to it. A tenth of what is free at the
 * start, at most 1 GB, is left to other programs.
 */
public final class DiskRoom {
  private static final long MOST_LEFT = 1_000_000_000;
  private static final int SHARE_LEFT = 10;

  private final String place;
  private final LongSupplier free;
  private final long left;

  /**
   * Watches some disk.
   *
   * @param place how messages name it
   * @param free gives the bytes that are free now
   */
  public DiskRoom(String place, LongSupplier free) {
    this.place = place;
    this.free = free;
    this.left = Math.min(MOST_LEFT, free.getAsLong() / SHARE_LEFT);
  }

  /**
   * Watches the disk that a folder is on.
   *
   * @param folder one that exists
   */
  public static DiskRoom of(Path folder) throws IOException {
    FileStore store = Files.getFileStore(folder);
    return new DiskRoom(folder.toString(), () -> free(store));
  }

  /** Free bytes; a file system that does not know its size has room without end. */
  private static long free(FileStore store) {
    try {
      long usable = store.getUsableSpace();
      return usable < 0 || store.getTotalSpace() <= 0 ? Long.MAX_VALUE : usable;
    } catch (IOException e) {
      return Long.MAX_VALUE;
    }
  }

  /**
   * Checks that there is room for more bytes.
   *
   * @param what is written, as a message begins
   * @param bytes that are still to be written, as far as is known
   * @throws IOException if there is not; the message says how much there is
   */
  public void require(String what, long bytes) throws IOException {
    long now = free.getAsLong();
    if (bytes > now - left) {
      throw new IOException(
          "%s would take %s more, and %s are free on the disk of %s, of which %s are left alone: "
                  .formatted(what, size(bytes), size(now), place, size(left))
              + "make room there, or take less data");
    }
  }

  private static String size(long bytes) {
    return bytes < 100_000
        ? bytes + " bytes"
        : bytes < 1_000_000_000
            ? String.format(Locale.ROOT, "%,.1f MB", bytes / 1e6)
            : String.format(Locale.ROOT, "%,.1f GB", bytes / 1e9);
  }
}
