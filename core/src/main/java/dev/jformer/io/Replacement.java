package dev.jformer.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Files of one directory that belong together and replace older ones. All are written, and on the
 * disk, before the first takes its place; so a full disk changes nothing.
 *
 * <p>They cannot take their places in one step. What must not be read together with a part of them
 * is therefore removed first, and the file that makes the others readable comes last.
 */
final class Replacement implements Closeable {
  /** Told of each change of the directory before it is made; tests end the process here. */
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

  /** A further file, to be written and sealed by the caller. */
  AtomicFile add(String name) throws IOException {
    AtomicFile file = AtomicFile.beside(directory.resolve(name));
    files.add(file);
    return file;
  }

  /**
   * A further file with this content, unless it has it already.
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
   * Puts all files in their places, in the order in which they were added.
   *
   * @param obsolete names of files that are removed before
   */
  void commit(List<String> obsolete) throws IOException {
    for (String name : obsolete) {
      observer.before(directory.resolve(name));
      Files.deleteIfExists(directory.resolve(name));
    }
    AtomicFile.flushDirectory(directory); // no renaming may reach the disk before this
    for (AtomicFile file : files) {
      observer.before(file.target());
      file.commit();
    }
  }

  /** Removes what did not take its place. */
  @Override
  public void close() throws IOException {
    for (AtomicFile file : files) {
      file.close();
    }
  }
}
