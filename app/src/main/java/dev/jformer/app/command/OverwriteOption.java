package dev.jformer.app.command;

import picocli.CommandLine.Option;

/** The option that lets a command replace what its output folder holds. */
final class OverwriteOption {
  @Option(
      names = "--overwrite",
      description = "Replace the run, model or tokenizer that is in the folder.")
  private boolean overwrite;

  /** Whether the option is given. */
  boolean isSet() {
    return overwrite;
  }
}
