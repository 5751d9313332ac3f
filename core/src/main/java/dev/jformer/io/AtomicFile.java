package dev.jformer.io;

import java.io.Closeable;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * A file that appears whole or not at all: it is written beside its target under a temporary name
 * and takes the target's place in one step, after its bytes have reached the disk. Closed without
 * {@link #commit}, it leaves no trace.
 */
public final class AtomicFile implements Closeable {
  /** The beginning of the names of files and folders that are not in their places yet. */
  public static final String PREFIX = ".jformer-";

  private static final String SUFFIX = ".tmp";
  private static final boolean WINDOWS = System.getProperty("os.name").startsWith("Windows");

  /** Opens the temporary file; tests put a full disk here. */
  interface Opener {
    FileChannel open(Path temporary) throws IOException;
  }

  private final Path target;
  private final Path temporary;
  private final FileChannel channel;

  private AtomicFile(Path target, Path temporary, FileChannel channel) {
    this.target = target;
    this.temporary = temporary;
    this.channel = channel;
  }

  /**
   * Writes a small file whole or not at all.
   *
   * @throws IOException if it cannot be written; an earlier file is left intact
   */
  public static void write(Path target, byte[] content) throws IOException {
    try (AtomicFile file = sealed(target, content)) {
      file.commit();
    }
  }

  /** Writes a file with this content to the disk, but does not yet move it to its target. */
  static AtomicFile sealed(Path target, byte[] content) throws IOException {
    return sealed(beside(target), content);
  }

  static AtomicFile sealed(AtomicFile file, byte[] content) throws IOException {
    try {
      ByteBuffer buffer = ByteBuffer.wrap(content);
      while (buffer.hasRemaining()) {
        file.channel().write(buffer);
      }
      file.seal();
      return file;
    } catch (IOException e) {
      file.close();
      throw new IOException(file.target + ": cannot be written: " + e.getMessage(), e);
    }
  }

  /** Opens a file to write to, in an existing folder; {@link #commit} puts it in its place. */
  public static AtomicFile beside(Path target) throws IOException {
    return beside(
        target,
        temporary ->
            FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
  }

  static AtomicFile beside(Path target, Opener opener) throws IOException {
    Path directory = target.toAbsolutePath().getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      throw new NotDirectoryException(String.valueOf(directory));
    }
    Path temporary = directory.resolve(PREFIX + UUID.randomUUID() + SUFFIX);
    return new AtomicFile(target, temporary, opener.open(temporary));
  }

  Path target() {
    return target;
  }

  /** Where to write. */
  public FileChannel channel() {
    return channel;
  }

  /** A stream to write with; closing it does not close the file. */
  public OutputStream stream() {
    return new FilterOutputStream(Channels.newOutputStream(channel)) {
      @Override
      public void write(byte[] bytes, int offset, int count) throws IOException {
        out.write(bytes, offset, count);
      }

      @Override
      public void close() throws IOException {
        flush();
      }
    };
  }

  /** Ends writing: all bytes are on the disk, but still under the temporary name. */
  void seal() throws IOException {
    if (channel.isOpen()) {
      channel.force(true);
      channel.close();
    }
  }

  /** Forces the file to the disk and moves it to its target. */
  public void commit() throws IOException {
    seal();
    Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    flushDirectory(target.toAbsolutePath().getParent());
  }

  /**
   * Deletes the temporary files that killed processes left in a directory. No other process may
   * write there.
   */
  public static void sweep(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (DirectoryStream<Path> left = Files.newDirectoryStream(directory, PREFIX + "*" + SUFFIX)) {
      for (Path file : left) {
        Files.deleteIfExists(file);
      }
    }
  }

  /**
   * Makes renames in a directory survive a power cut. Does nothing on Windows, which has no way to.
   */
  public static void flushDirectory(Path directory) throws IOException {
    if (!WINDOWS) {
      try (FileChannel entries = FileChannel.open(directory, StandardOpenOption.READ)) {
        entries.force(true);
      }
    }
  }

  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
