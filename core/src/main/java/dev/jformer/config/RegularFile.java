package dev.jformer.config;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads files that have an end: no devices and no pipes, which would block or fill the memory. */
public final class RegularFile {
  private static final long LONGEST_TEXT = 1 << 26;

  private RegularFile() {}

  /**
   * Checks that a path names a regular file.
   *
   * @return the path
   * @throws NoSuchFileException if there is none
   * @throws FileSystemException if it is a folder, a device or a pipe
   */
  public static Path check(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    if (!Files.isRegularFile(file)) {
      throw new FileSystemException(
          file.toString(),
          null,
          Files.isDirectory(file) ? "is a folder: expected a file" : "is not a regular file");
    }
    return file;
  }

  /**
   * Reads a UTF-8 text of at most 64 MB, such as a configuration.
   *
   * @throws FileSystemException if it is no regular file, or longer
   * @throws IOException if it cannot be read, or is not UTF-8
   */
  public static String text(Path file) throws IOException {
    long size = Files.size(check(file));
    if (size > LONGEST_TEXT) {
      throw new FileSystemException(
          file.toString(), null, "has " + size + " bytes: expected at most " + LONGEST_TEXT);
    }
    return Files.readString(file);
  }
}
