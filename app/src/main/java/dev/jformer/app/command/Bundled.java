package dev.jformer.app.command;

import java.nio.file.Files;
import java.nio.file.Path;

/** Files that come with the program: beside its libraries in a distribution, else in the build. */
final class Bundled {
  private Bundled() {}

  /** Where a file or folder is, or would be in the build. */
  static Path find(String folder, String name) {
    Path home = Path.of(System.getProperty("jformer.home", "."));
    Path distributed = home.resolve(folder).resolve(name);
    return Files.exists(distributed)
        ? distributed
        : home.resolve("app").resolve("target").resolve(folder).resolve(name);
  }
}
