package dev.jformer.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Operations on a file, or on a folder with all its content. */
public final class FileTree {
  private FileTree() {}

  /**
   * Creates a folder, and those that it lies in, so that they survive a power cut. Does nothing if
   * it exists.
   */
  public static void createFolder(Path folder) throws IOException {
    if (Files.isDirectory(folder)) {
      return;
    }
    Path parent = folder.toAbsolutePath().normalize().getParent();
    if (parent != null) {
      createFolder(parent);
    }
    Files.createDirectories(folder);
    if (parent != null && Files.isReadable(parent)) {
      AtomicFile.flushDirectory(parent);
    }
  }

  /**
   * Deletes a file or folder; does nothing if it does not exist. A symbolic link itself is deleted,
   * not its target.
   *
   * @throws IOException if something cannot be deleted; other files may already be deleted
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
