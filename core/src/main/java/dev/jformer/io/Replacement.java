package dev.jformer.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Replaces files of one directory that belong together. All new files are on the disk before the
 * first is moved to its place, so a full disk changes nothing.
 *
 * <p>They cannot all be moved in one step. So files that must not be read together with only some
 * of the new ones are removed first, and the file that makes the others readable is moved last.
 */
final class Replacement implements Closeable {
  /** Called before each change of the directory; tests end the process here. */
  interface Observer {
    void before(Path changed) throws IOException;
  }

  private final Path directory;
  private final Observer observer;
  private final List<AtomicFile> files = new ArrayList<>();

  Replacement(Path directory) {
    this(directory, changed -> {});
  }

  Replacement(Path directory, Observer observer) {
    this.directory = directory;
    this.observer = observer;
  }

  Path directory() {
    return directory;
  }

  /** Adds a file, to be written and sealed by the caller. */
  AtomicFile add(String name) throws IOException {
    AtomicFile file = AtomicFile.beside(directory.resolve(name));
    files.add(file);
    return file;
  }

  /**
   * Adds a file with this content, unless the present file already has it.
   *
   * @return whether it will be changed
   */
  boolean add(String name, byte[] content) throws IOException {
    Path path = directory.resolve(name);
    if (Files.isRegularFile(path)
        && Files.size(path) == content.length
        && Arrays.equals(Files.readAllBytes(path), content)) {
      return false;
    }
    files.add(AtomicFile.sealed(path, content));
    return true;
  }

  /**
   * Moves all files to their places, in the order in which they were added.
   *
   * @param obsolete names of files that are removed before
   */
  void commit(List<String> obsolete) throws IOException {
    for (String name : obsolete) {
      observer.before(directory.resolve(name));
      Files.deleteIfExists(directory.resolve(name));
    }
    AtomicFile.flushDirectory(directory); // no rename may reach the disk before this
    for (AtomicFile file : files) {
      observer.before(file.target());
      file.commit();
    }
  }

  /** Removes the temporary files that were not moved. */
  @Override
  public void close() throws IOException {
    for (AtomicFile file : files) {
      file.close();
    }
  }
}
