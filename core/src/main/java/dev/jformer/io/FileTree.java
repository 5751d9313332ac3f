package dev.jformer.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A file, or a folder with all that is in it. */
public final class FileTree {
  private FileTree() {}

  /**
   * Deletes it; nothing happens if it is not there. Of a symbolic link the link itself goes, not
   * what it leads to.
   *
   * @throws IOException if something in it cannot be deleted; the rest may be gone by then
   */
  public static void delete(Path root) throws IOException {
    if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(root)) {
      for (Path entry : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(entry);
      }
    }
  }
}
