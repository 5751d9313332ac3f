package dev.jformer.run;

import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.io.FileTree;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/** Text as tokens of a trained model: what its training held out, or a user's. */
final class HeldOutTokens {
  private HeldOutTokens() {}

  /** Whether the folder of a run has tokens. */
  static boolean exist(Path folder) {
    return Files.isDirectory(folder.resolve(RunFolder.DATA));
  }

  /** What is measured on the tokens that a request asks for, in inference. */
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
   * Adds batches of a text to calibrate with.
   *
   * @param targets whether a model is told what should follow
   */
  static void calibrate(
      CalibrationBatches batches,
      Path folder,
      Path data,
      List<String> endings,
      int length,
      int count,
      boolean targets)
      throws IOException {
    with(
        folder,
        data,
        endings,
        tokens -> {
          HeldOut.read(
              tokens,
              CalibrationBatches.BATCH,
              length,
              count,
              batch -> batches.add(batch.inputs(), null, targets ? batch.targets() : null));
          return batches;
        });
  }

  private static <R> R with(
      Path folder, Path data, List<String> endings, Function<TokenFile, R> use) throws IOException {
    Path scratch = Files.createTempDirectory("jformer-text");
    try (TokenFile tokens =
        TokenFile.prepare(
            scratch, Corpus.open(data, endings), Tokenizers.load(folder), 1, bytes -> {})) {
      return use.apply(tokens);
    } finally {
      FileTree.delete(scratch);
    }
  }
}
