package dev.jformer.app.command;

import picocli.CommandLine.Option;

/** The option {@code --json}. */
final class JsonOption {
  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  boolean isSet() {
    return json;
  }

  /** Prints results as the user wants them. */
  Printer printer() {
    return new Printer(json);
  }
}
