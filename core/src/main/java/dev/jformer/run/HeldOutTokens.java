package dev.jformer.run;

import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.io.TemporaryFolder;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * Tokens to evaluate a trained model on: those that its training held out, or those of a user's
 * text.
 */
final class HeldOutTokens {
  /**
   * The most tokens of a batch, unless one row has more: the states of all are in memory at once.
   */
  private static final int TOKENS = 4 * 1024;

  private HeldOutTokens() {}

  /** The number of rows of a batch: fewer than {@code most} where they are long. */
  static int rows(int most, int length) {
    return Math.max(1, Math.min(most, TOKENS / length));
  }

  /** Whether the folder of a run holds tokens. */
  static boolean exist(Path folder) {
    return Files.isDirectory(folder.resolve(RunFolder.DATA));
  }

  /** Measures the tokens of a request, in inference mode. */
  static <R> R measure(Path folder, EvaluationRequest request, Function<TokenFile, R> measure)
      throws IOException {
    if (request.data().isEmpty()) {
      if (!exist(folder)) {
        throw new RunException(folder + " holds no text from its training: give some with --data");
      }
      try (TokenFile tokens = TokenFile.open(folder.resolve(RunFolder.DATA));
          Mode mode = Autograd.inference()) {
        return measure.apply(tokens);
      }
    }
    return with(
        folder,
        request.only(),
        request.endings(),
        tokens -> {
          try (Mode mode = Autograd.inference()) {
            return measure.apply(tokens);
          }
        });
  }

  /**
   * Adds batches of a text to calibration data.
   *
   * @param targets whether batches have the next tokens as targets
   */
  static void calibrate(
      CalibrationBatches batches,
      Path folder,
      Path data,
      List<String> endings,
      int length,
      boolean targets)
      throws IOException {
    with(
        folder,
        data,
        endings,
        tokens -> {
          HeldOut.read(
              tokens,
              rows(CalibrationBatches.BATCH, length),
              length,
              batches.most(),
              batch -> batches.add(batch.inputs(), null, targets ? batch.targets() : null));
          return batches;
        });
  }

  private static <R> R with(
      Path folder, Path data, List<String> endings, Function<TokenFile, R> use) throws IOException {
    try (TemporaryFolder scratch = TemporaryFolder.create("text");
        TokenFile tokens =
            TokenFile.prepare(
                scratch.path(),
                Corpus.open(data, endings),
                Tokenizers.load(folder),
                1,
                bytes -> {})) {
      return use.apply(tokens);
    }
  }
}
