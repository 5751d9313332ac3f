package dev.jformer.app.command;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.BeamTranslator;
import dev.jformer.decode.DenoisingSearch;
import dev.jformer.decode.DenoisingTextTranslator;
import dev.jformer.decode.TextTranslator;
import dev.jformer.model.DenoisingTranslator;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options of the search for translations. */
final class SearchOptions {
  private static final int BEAM = 5;
  private static final double LENGTH_PENALTY = 0.6;

  @Option(
      names = "--beam",
      paramLabel = "K",
      description = "The width of the beam search; 1 is greedy search (default 5).")
  private Integer beam;

  @Option(
      names = "--length-penalty",
      paramLabel = "A",
      description = "Larger values give longer translations (default 0.6).")
  private Double lengthPenalty;

  @Option(
      names = "--passes",
      paramLabel = "N",
      description =
          "The most passes over a translation, for models that write all words at once (default"
              + " 10).")
  private Integer passes;

  @Option(
      names = "--lengths",
      paramLabel = "N",
      description = "How many lengths such models try (default 3).")
  private Integer lengths;

  /**
   * Creates the translator that suits a model.
   *
   * @throws CommandException if the model is no translator, or options of another search are given
   */
  TextTranslator translator(Path folder, Model model, int batch) throws IOException {
    if (model instanceof DenoisingTranslator denoising) {
      refuse(beam != null || lengthPenalty != null, "--beam and --length-penalty", folder, model);
      DenoisingSearch.Settings usual = new DenoisingSearch.Settings();
      DenoisingSearch.Settings settings =
          new DenoisingSearch.Settings(
              passes == null ? usual.steps() : passes, lengths == null ? usual.lengths() : lengths);
      return new DenoisingTextTranslator(denoising, tokenizer(folder), settings, batch);
    }
    if (!(model instanceof EncoderDecoder translator)) {
      throw new CommandException(
          folder + " holds " + model.config().noun() + ", which is no translator");
    }
    refuse(passes != null || lengths != null, "--passes and --lengths", folder, model);
    BeamSearch.Settings usual = new BeamSearch.Settings(beam == null ? BEAM : beam);
    double penalty = lengthPenalty == null ? LENGTH_PENALTY : lengthPenalty;
    BeamSearch.Settings settings =
        new BeamSearch.Settings(usual.beam(), penalty, usual.ratio(), usual.extra(), true);
    return new BeamTranslator(translator, tokenizer(folder), settings, batch);
  }

  private static Tokenizer tokenizer(Path folder) throws IOException {
    return Tokenizers.load(folder);
  }

  private static void refuse(boolean given, String options, Path folder, Model model) {
    if (given) {
      throw new CommandException(
          folder
              + " holds "
              + model.config().noun()
              + ", which does not search so: leave out "
              + options);
    }
  }
}
