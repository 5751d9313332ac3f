package dev.jformer.app.command;

import picocli.CommandLine.Option;

/** The option {@code --quiet}. */
final class QuietOption {
  @Option(names = "--quiet", description = "Show no progress, only the result.")
  private boolean quiet;

  /** Shows progress, unless the user wants none. */
  Console console() {
    return new Console(quiet);
  }
}
