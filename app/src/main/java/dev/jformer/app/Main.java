package dev.jformer.app;

import dev.jformer.app.command.CheckedOutput;
import dev.jformer.app.command.Commands;

/** The entry point of the command line: {@code jformer COMMAND …}. */
public final class Main {
  private Main() {}

  /** Runs a command and ends the process with its exit code. */
  public static void main(String[] args) {
    CheckedOutput.install();
    System.exit(Commands.run(args));
  }
}
