package dev.jformer.app.command;

import dev.jformer.decode.BeamSearch;
import picocli.CommandLine.Option;

/** The options of the beam search for translations. */
final class SearchOptions {
  @Option(
      names = "--beam",
      paramLabel = "K",
      description = "The width of the beam search; 1 is greedy search (default ${DEFAULT-VALUE}).")
  private int beam = 5;

  @Option(
      names = "--length-penalty",
      paramLabel = "A",
      description = "Larger values give longer translations (default ${DEFAULT-VALUE}).")
  private double lengthPenalty = 0.6;

  BeamSearch.Settings settings() {
    BeamSearch.Settings usual = new BeamSearch.Settings(beam);
    return new BeamSearch.Settings(beam, lengthPenalty, usual.ratio(), usual.extra(), true);
  }
}
