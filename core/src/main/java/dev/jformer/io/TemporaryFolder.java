package dev.jformer.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A temporary folder, which is deleted on closing, or when the process is asked to end before that.
 * What a killed process leaves is deleted by the next process that makes one.
 */
public final class TemporaryFolder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TemporaryFolder.class);
  private static final String PREFIX = "jformer-";
  private static final Duration YOUNG = Duration.ofMinutes(1);
  private static final int ATTEMPTS = 5;
  private static final long PAUSE_MILLIS = 20;
  private static final Set<TemporaryFolder> OPEN = ConcurrentHashMap.newKeySet();
  private static final AtomicBoolean PREPARED = new AtomicBoolean();

  private final Path path;
  private final FolderLock lock;

  private TemporaryFolder(Path path, FolderLock lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Creates a folder where the system keeps temporary files.
   *
   * @param name a word for its name, which says what it is for
   */
  public static TemporaryFolder create(String name) throws IOException {
    TemporaryFolder made;
    boolean first;
    synchronized (OPEN) { // so that the hook knows each folder that there is
      first = prepareHook();
      Path path = Files.createTempDirectory(PREFIX + name + "-");
      made = new TemporaryFolder(path, FolderLock.acquire(path));
      OPEN.add(made);
    }
    if (first) {
      deleteAbandoned(made.path);
    }
    return made;
  }

  /** Has open folders deleted when the process ends; whether this is the first call. */
  private static boolean prepareHook() throws IOException {
    if (PREPARED.getAndSet(true)) {
      return false;
    }
    try {
      Runtime.getRuntime()
          .addShutdownHook(new Thread(TemporaryFolder::deleteAll, "temporary-folders"));
      return true;
    } catch (IllegalStateException e) {
      throw new IOException("the process is ending: no temporary folder can be made", e);
    }
  }

  /** The folder. */
  public Path path() {
    return path;
  }

  private static void deleteAll() {
    synchronized (OPEN) {
      for (TemporaryFolder folder : OPEN) {
        try {
          folder.delete();
          Thread.sleep(PAUSE_MILLIS);
          folder.delete(); // a thread that was about to write may have made it again
        } catch (IOException e) {
          LOG.warn("cannot delete {}: {}", folder.path, e.getMessage());
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  /** Deletes the folders of processes of this user that were killed. */
  private static void deleteAbandoned(Path own) throws IOException {
    try (DirectoryStream<Path> siblings = Files.newDirectoryStream(own.getParent(), PREFIX + "*")) {
      for (Path folder : siblings) {
        if (isAbandoned(folder, own)) {
          try {
            FolderLock.acquire(folder).close();
            FileTree.delete(folder);
          } catch (IOException e) {
            LOG.debug("{} stays: {}", folder, e.getMessage());
          }
        }
      }
    }
  }

  private static boolean isAbandoned(Path folder, Path own) throws IOException {
    Path lock = folder.resolve(FolderLock.FILE);
    if (folder.equals(own)
        || !Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
        || !Files.isRegularFile(lock, LinkOption.NOFOLLOW_LINKS)
        || !Files.getOwner(folder).equals(Files.getOwner(own))) {
      return false;
    }
    FileTime written = Files.getLastModifiedTime(lock);
    return written.toInstant().isBefore(Instant.now().minus(YOUNG));
  }

  private void delete() throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        FileTree.delete(path);
        return;
      } catch (IOException e) { // other threads may still write to it when the process ends
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** Deletes the folder with all its content. */
  @Override
  public void close() {
    if (OPEN.remove(this)) {
      try {
        delete();
        lock.close();
      } catch (IOException e) {
        throw new UncheckedIOException("cannot delete " + path, e);
      }
    }
  }
}
