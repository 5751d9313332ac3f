package dev.jformer.run;

import dev.jformer.io.TemporaryFolder;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A folder for prepared data: that of a run, which is permanent, or a temporary one, which is
 * deleted on closing.
 */
public final class Workspace implements AutoCloseable {
  private final Path folder;
  private final TemporaryFolder temporary;
  private final boolean resumed;
  private final Progress progress;

  private Workspace(Path folder, TemporaryFolder temporary, boolean resumed, Progress progress) {
    this.folder = folder;
    this.temporary = temporary;
    this.resumed = resumed;
    this.progress = progress;
  }

  /** Creates a workspace in a permanent folder. */
  public static Workspace in(Path folder, Progress progress) {
    return new Workspace(folder, null, false, progress);
  }

  /**
   * Creates a workspace in the folder of a resumed run, whose data must be the same as when it
   * began.
   */
  public static Workspace resumed(Path folder, Progress progress) {
    return new Workspace(folder, null, true, progress);
  }

  /** Creates a workspace in a temporary folder, which is deleted on closing. */
  public static Workspace temporary() throws IOException {
    TemporaryFolder made = TemporaryFolder.create("run");
    return new Workspace(made.path(), made, false, Progress.none());
  }

  Path folder() {
    return folder;
  }

  /** Whether data must be the same as when the run in the folder began. */
  boolean isResumed() {
    return resumed;
  }

  Progress progress() {
    return progress;
  }

  /** Deletes a temporary folder. */
  @Override
  public void close() {
    if (temporary != null) {
      temporary.close();
    }
  }
}
