package dev.jformer.tensor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.bytedeco.javacpp.Loader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folders into which native libraries are unpacked, made safe before a library is loaded.
 *
 * <p>A process that is killed while it unpacks a library leaves a part of it, and loading a part of
 * a library ends the process. So files whose size or time differs from that in the jar are deleted,
 * to be unpacked again. Where the home folder cannot be written, libraries go to a folder that only
 * this user can write, never to a shared one that somebody else may have prepared.
 */
public final class NativeCache {
  private static final Logger LOG = LoggerFactory.getLogger(NativeCache.class);
  private static final String LIBTORCH = "org.bytedeco.javacpp.cachedir";
  private static final List<String> LIBRARIES = List.of("javacpp", "openblas", "mkl", "pytorch");

  private static boolean prepared;

  private NativeCache() {}

  /** Prepares the folders, once in a process; has to be called before a library is loaded. */
  public static synchronized void prepare() {
    if (prepared) {
      return;
    }
    prepared = true;
    if (!isWritable(Path.of(System.getProperty("user.home")))) {
      Path folder = privateFolder(Path.of(System.getProperty("java.io.tmpdir")));
      setUnlessSet(LIBTORCH, folder.resolve("javacpp"));
    }
    try {
      removeIncomplete(Loader.getCacheDir().toPath());
    } catch (IOException e) {
      LOG.debug("the unpacked native libraries could not be checked", e);
    }
  }

  /**
   * Waits until no other process unpacks libraries for the first time. The binding locks the folder
   * while it writes a file, but not while it makes links, so that one of two processes that start
   * together could miss a library.
   *
   * @param libraries what is going to be loaded: processes wait only until it was loaded once
   */
  static Turn turn(String libraries) {
    try {
      Path cache = Loader.getCacheDir().toPath();
      return Turn.of(cache, libraries);
    } catch (IOException e) {
      LOG.debug("the folder for native libraries cannot be locked", e);
      return new Turn(null, null);
    }
  }

  /** The right to unpack libraries, which other processes wait for. */
  static final class Turn implements AutoCloseable {
    private final Path marker;
    private final FileChannel channel;

    private Turn(Path marker, FileChannel channel) {
      this.marker = marker;
      this.channel = channel;
    }

    static Turn of(Path cache, String libraries) throws IOException {
      Path marker = cache.resolve(".jformer-" + libraries + ".unpacked");
      if (Files.exists(marker)) {
        return new Turn(null, null);
      }
      FileChannel channel =
          FileChannel.open(
              cache.resolve(".jformer.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        channel.lock();
        return new Turn(marker, channel);
      } catch (IOException | OverlappingFileLockException e) {
        channel.close();
        LOG.debug("native libraries are unpacked without a lock", e);
        return new Turn(null, null);
      }
    }

    /** Notes that the libraries were loaded, so that nobody waits for them again. */
    void done() {
      try {
        if (marker != null && !Files.exists(marker)) {
          Files.createFile(marker);
        }
      } catch (IOException e) {
        LOG.debug("{} cannot be written", marker, e);
      }
    }

    @Override
    public void close() {
      try {
        if (channel != null) {
          channel.close();
        }
      } catch (IOException e) {
        LOG.debug("the lock of native libraries could not be given back", e);
      }
    }
  }

  /** The folder that holds the unpacked libraries. */
  static String place() {
    try {
      return Loader.getCacheDir().toString();
    } catch (IOException e) {
      return "the folder for native libraries";
    }
  }

  private static boolean isWritable(Path home) {
    // A home that does not exist, as that of a user without an account, may still be created.
    Path place = home.toAbsolutePath();
    while (place != null && !Files.exists(place)) {
      place = place.getParent();
    }
    return place != null && Files.isWritable(place);
  }

  private static void setUnlessSet(String property, Path folder) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, folder.toString());
    }
  }

  /**
   * Returns a folder that belongs to this user and that others cannot write: the same one for each
   * process of the user where that is safe, otherwise a new one.
   */
  static Path privateFolder(Path parent) {
    try {
      Path made = Files.createTempDirectory(parent, "jformer-natives-");
      Path usual = parent.resolve("jformer-natives-of-" + Files.getOwner(made).getName());
      if (!Files.exists(usual, LinkOption.NOFOLLOW_LINKS)) {
        return rename(made, usual);
      }
      if (isPrivate(usual, made)) {
        Files.delete(made);
        return usual;
      }
      LOG.warn(
          "{} is not a folder that only this user can write: native libraries are unpacked into {}",
          usual,
          made);
      return made;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "there is no place for native libraries: neither the home folder nor "
              + parent
              + " can be written; set -D"
              + LIBTORCH
              + "=FOLDER to a folder that can",
          e);
    }
  }

  private static Path rename(Path made, Path usual) {
    try {
      return Files.move(made, usual);
    } catch (IOException e) {
      return made; // another process was faster
    }
  }

  private static boolean isPrivate(Path folder, Path ours) throws IOException {
    return Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
        && Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS).equals(Files.getOwner(ours))
        && Set.copyOf(Files.getPosixFilePermissions(folder, LinkOption.NOFOLLOW_LINKS))
            .equals(Set.copyOf(Files.getPosixFilePermissions(ours)));
  }

  private static void removeIncomplete(Path cache) throws IOException {
    // Unpacking holds the same lock, so no other process is at it meanwhile.
    try (FileChannel channel =
            FileChannel.open(
                cache.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      ClassLoader loader = NativeCache.class.getClassLoader();
      for (String library : LIBRARIES) {
        for (String extension : List.of("", "-gpu")) {
          String place = "org/bytedeco/" + library + "/" + Loader.getPlatform() + extension + "/";
          for (URL url : Collections.list(loader.getResources(place))) {
            URLConnection connection = url.openConnection();
            if (connection instanceof JarURLConnection jar) {
              removeIncomplete(cache, jar.getJarFile(), place);
            }
          }
        }
      }
    } catch (OverlappingFileLockException e) {
      LOG.debug("another thread unpacks native libraries", e);
    }
  }

  /** Deletes the unpacked files of a jar's folder that differ from the jar in size or time. */
  static void removeIncomplete(Path cache, JarFile jar, String folder) throws IOException {
    Path unpacked = cache.resolve(Path.of(jar.getName()).getFileName());
    for (JarEntry entry : Collections.list(jar.entries())) {
      if (entry.isDirectory() || !entry.getName().startsWith(folder)) {
        continue;
      }
      Path file = unpacked.resolve(entry.getName());
      if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
          && (Files.size(file) != entry.getSize()
              || Files.getLastModifiedTime(file).toMillis() != entry.getTime())) {
        LOG.debug("{} is incomplete: it is unpacked again", file);
        Files.delete(file);
      }
    }
  }
}
