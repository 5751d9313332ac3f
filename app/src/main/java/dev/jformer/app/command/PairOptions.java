package dev.jformer.app.command;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options {@code --source} and {@code --target}: texts and their translations. */
final class PairOptions {
  @Option(
      names = "--source",
      paramLabel = "FILE",
      description = "Texts to translate, one per line; may be compressed with gzip.")
  private Path source;

  @Option(
      names = "--target",
      paramLabel = "FILE",
      description = "Their translations, in the same order.")
  private Path target;

  /** The file of texts; null if it is not given. */
  Path source() {
    return source;
  }

  /** The file of translations; null if it is not given. */
  Path target() {
    return target;
  }
}
