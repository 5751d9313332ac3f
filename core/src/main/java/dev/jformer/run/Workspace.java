package dev.jformer.run;

import dev.jformer.io.FileTree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where data is made ready: a run's folder, which keeps it, or a temporary one, which is deleted
 * when this is closed.
 */
public final class Workspace implements AutoCloseable {
  private final Path folder;
  private final boolean temporary;
  private final boolean resumed;
  private final Progress progress;

  private Workspace(Path folder, boolean temporary, boolean resumed, Progress progress) {
    this.folder = folder;
    this.temporary = temporary;
    this.resumed = resumed;
    this.progress = progress;
  }

  /** A folder that keeps what is made. */
  public static Workspace in(Path folder, Progress progress) {
    return new Workspace(folder, false, false, progress);
  }

  /** The folder of a run that goes on: its data must be what it was when the run began. */
  public static Workspace resumed(Path folder, Progress progress) {
    return new Workspace(folder, false, true, progress);
  }

  /** A folder that is deleted in the end. */
  public static Workspace temporary() throws IOException {
    Path made = Files.createTempDirectory("jformer-run");
    return new Workspace(made, true, false, Progress.none());
  }

  Path folder() {
    return folder;
  }

  /** Whether data must be what it was when the run in the folder began. */
  boolean isResumed() {
    return resumed;
  }

  Progress progress() {
    return progress;
  }

  /** Deletes a temporary folder. */
  @Override
  public void close() {
    if (temporary) {
      try {
        FileTree.delete(folder);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot delete " + folder, e);
      }
    }
  }
}
