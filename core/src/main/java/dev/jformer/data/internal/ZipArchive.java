package dev.jformer.data.internal;

import dev.jformer.data.DataException;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** Opens zip files whose names are in UTF-8 or, as many programs write them, in code page 437. */
public final class ZipArchive {
  private static final String CODE_PAGE = "IBM437";

  private ZipArchive() {}

  /**
   * Opens a zip file.
   *
   * @throws DataException if it is no regular file
   * @throws IOException if it is damaged
   */
  public static ZipFile open(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new DataException(file + " is not a regular file: expected a zip file");
    }
    try {
      return new ZipFile(file.toFile(), StandardCharsets.UTF_8);
    } catch (ZipException e) {
      // Java also reports names that are not UTF-8 as a damaged directory.
      if (!Charset.isSupported(CODE_PAGE)) {
        throw e;
      }
      return new ZipFile(file.toFile(), Charset.forName(CODE_PAGE));
    }
  }

  /** An error that says that an entry cannot be unpacked. */
  public static DataException damaged(Path file, String entry, IOException e) {
    return new DataException(
        "%s in %s cannot be unpacked: %s; pack it again".formatted(entry, file, e.getMessage()), e);
  }
}
