package dev.jformer.app.command;

import dev.jformer.decode.BeamSearch;
import picocli.CommandLine.Option;

/** How translations are searched for. */
final class SearchOptions {
  @Option(
      names = "--beam",
      paramLabel = "K",
      description =
          "Translations followed at a time; 1 takes the best token each time (default"
              + " ${DEFAULT-VALUE}).")
  private int beam = 5;

  @Option(
      names = "--length-penalty",
      paramLabel = "A",
      description = "The larger, the longer translations are (default ${DEFAULT-VALUE}).")
  private double lengthPenalty = 0.6;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Texts at a time (default ${DEFAULT-VALUE}).")
  private int batch = 32;

  BeamSearch.Settings settings() {
    BeamSearch.Settings usual = new BeamSearch.Settings(beam);
    return new BeamSearch.Settings(beam, lengthPenalty, usual.ratio(), usual.extra(), true);
  }

  int batch() {
    if (batch < 1) {
      throw new CommandException("--batch is " + batch + ": expected at least 1");
    }
    return batch;
  }
}
