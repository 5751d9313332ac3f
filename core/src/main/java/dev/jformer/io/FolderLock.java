package dev.jformer.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lock on a folder, so that only one process writes to it. The system releases it when the
 * process ends, however it ends. The lock file names the process that holds it, and is deleted when
 * the lock is closed.
 */
public final class FolderLock implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(FolderLock.class);

  /** The name of the lock file. */
  public static final String FILE = ".jformer.lock";

  private static final Duration PAUSE = Duration.ofMillis(50);

  /** The locked byte lies behind the text, so that the text can be read on any system. */
  private static final long POSITION = Long.MAX_VALUE - 1;

  /** The folders that this process has locked: the system's locks tell processes apart only. */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private final FileChannel channel;

  private FolderLock(Path folder, FileChannel channel) {
    this.folder = folder;
    this.channel = channel;
  }

  /**
   * Locks a folder.
   *
   * @throws IOException if it does not exist, cannot be written to, or is locked already; the
   *     message names the process that holds the lock
   */
  public static FolderLock acquire(Path folder) throws IOException {
    Path place = folder.toRealPath();
    if (!HELD.add(place)) {
      throw inUse(folder, "by this process");
    }
    try {
      return new FolderLock(place, lock(folder, place.resolve(FILE)));
    } catch (IOException | RuntimeException | Error e) {
      HELD.remove(place);
      throw e;
    }
  }

  /**
   * Locks a folder, and waits for another process to release it if need be.
   *
   * @param longest how long to wait
   * @throws IOException as {@link #acquire}, after the wait
   */
  public static FolderLock await(Path folder, Duration longest) throws IOException {
    long end = System.nanoTime() + longest.toNanos();
    while (true) {
      try {
        return acquire(folder);
      } catch (IOException e) {
        if (System.nanoTime() > end) {
          throw e;
        }
        Pause.of(PAUSE);
      }
    }
  }

  private static FileChannel lock(Path folder, Path file) throws IOException {
    while (true) {
      Object before = create(file);
      try {
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
          if (!tryLock(channel, file)) {
            throw inUse(folder, "by " + Files.readString(file).strip());
          }
          // The process that held the lock before may have deleted the file meanwhile.
          if (Objects.equals(before, key(file))) {
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(thisProcess().getBytes(StandardCharsets.UTF_8)));
            return channel;
          }
        } catch (IOException | RuntimeException | Error e) {
          channel.close();
          throw e;
        }
        channel.close();
      } catch (NoSuchFileException e) {
        LOG.debug("{} was deleted by the process that held it", file);
      }
    }
  }

  /** Creates the file if there is none; what tells it from others. */
  private static Object create(Path file) throws IOException {
    try {
      Files.createFile(file);
    } catch (FileAlreadyExistsException e) {
      LOG.debug("{} is there already", file);
    }
    return key(file);
  }

  private static boolean tryLock(FileChannel channel, Path file) {
    try {
      return channel.tryLock(POSITION, 1, false) != null;
    } catch (IOException e) {
      LOG.warn("{} cannot be locked ({}): start no second process there", file, e.getMessage());
      return true;
    }
  }

  /** What tells a file from another one of the same name; null if there is none. */
  private static Object key(Path file) throws IOException {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return attributes.fileKey() == null ? "present" : attributes.fileKey();
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private static IOException inUse(Path folder, String holder) {
    return new IOException(
        folder + " is in use " + holder + ": wait for it to end, or choose another folder");
  }

  private static String thisProcess() {
    ProcessHandle process = ProcessHandle.current();
    Instant start = process.info().startInstant().orElseGet(Instant::now);
    return "process "
        + process.pid()
        + ", which started at "
        + start.truncatedTo(ChronoUnit.SECONDS)
        + "\n";
  }

  /** Deletes the lock file and releases the lock. */
  @Override
  public void close() throws IOException {
    try {
      Files.deleteIfExists(folder.resolve(FILE));
    } finally {
      channel.close();
      HELD.remove(folder);
    }
  }
}
