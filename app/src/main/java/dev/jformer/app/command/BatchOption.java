package dev.jformer.app.command;

import picocli.CommandLine.Option;

/** The option {@code --batch}. */
final class BatchOption {
  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Texts, sequences or images in one pass (default ${DEFAULT-VALUE}).")
  private int batch;

  BatchOption(int usual) {
    batch = usual;
  }

  /**
   * How many inputs the model takes at a time.
   *
   * @throws CommandException if it is less than 1
   */
  int size() {
    if (batch < 1) {
      throw new CommandException("--batch is " + batch + ": expected at least 1");
    }
    return batch;
  }
}
