package dev.jformer.app.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The file that a command writes its results to. */
final class OutputFile {
  private OutputFile() {}

  /**
   * Checks that a file can be written without losing an input, before anything is computed for it.
   *
   * @param out the file; null for none
   * @throws CommandException if it is a folder, or one of the inputs, or would lie in a folder that
   *     does not exist
   */
  static void check(Path out, Iterable<Path> inputs) throws IOException {
    if (out == null) {
      return;
    }
    if (!Files.exists(out)) {
      Path folder = out.toAbsolutePath().getParent();
      if (!Files.isDirectory(folder)) {
        throw new CommandException("--out is " + out + ", but there is no folder " + folder);
      }
      return;
    }
    if (Files.isDirectory(out)) {
      throw new CommandException("--out is the folder " + out + ": expected a file to write to");
    }
    for (Path input : inputs) {
      if (input != null && Files.exists(input) && Files.isSameFile(input, out)) {
        throw new CommandException(
            "--out is " + out + ", which is read from: choose another file to write to");
      }
    }
  }
}
