package dev.jformer.run;

import dev.jformer.data.DataException;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.TextTranslator;
import dev.jformer.io.AtomicFile;
import dev.jformer.metrics.Bleu;
import dev.jformer.metrics.Metrics;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * Texts and their translations, ready to be learned from by translators of any kind.
 *
 * @param source where the texts lie; empty if unknown
 * @param learned the pairs to learn from
 * @param heldOut the pairs to validate on
 * @param tokenizer of both languages
 * @param workspace closed with the data; null for texts in memory
 */
record TranslationTexts(
    String source,
    ParallelTexts learned,
    ParallelTexts heldOut,
    Tokenizer tokenizer,
    Workspace workspace)
    implements AutoCloseable {
  private static final String FINGERPRINT = "texts.sha256";

  /** Reads the texts of a recipe, and learns tokens of them if it begins with no model. */
  static TranslationTexts prepare(Recipe recipe, Workspace workspace) throws IOException {
    TranslationData data = (TranslationData) recipe.data();
    if (data.target().isEmpty()) {
      throw new RunException("there are no translations of " + data.source() + ": give --target");
    }
    ParallelTexts all = read(data.source(), data.target());
    ParallelTexts learned = all;
    ParallelTexts heldOut;
    if (data.validationSource().isEmpty()) {
      int count = (int) Math.ceil(data.validation() * all.size());
      if (count >= all.size()) {
        throw new DataException(
            all.size() + " pairs of texts leave none to train on: expected two or more");
      }
      learned = all.slice(0, all.size() - count);
      heldOut = all.slice(all.size() - count, all.size());
    } else {
      heldOut = read(data.validationSource(), data.validationTarget());
    }
    checkFingerprint(learned, heldOut, workspace);
    PretrainedStart.copyTokenizer(recipe, workspace.folder());
    ParallelTexts vocabulary = learned;
    Tokenizer tokenizer =
        TextPreparation.tokenizer(
            workspace,
            data.tokenizer(),
            method -> {
              try (Progress.Work work =
                  workspace.progress().begin("learning tokens", data.vocabulary(), "tokens")) {
                return vocabulary.vocabulary(method).train(data.vocabulary(), work::at);
              }
            });
    return new TranslationTexts(data.source(), learned, heldOut, tokenizer, workspace);
  }

  /** Checks that a resumed run has the texts that it began with. */
  private static void checkFingerprint(
      ParallelTexts learned, ParallelTexts heldOut, Workspace workspace) throws IOException {
    String fingerprint = fingerprint(learned, heldOut);
    Path file = workspace.folder().resolve(FINGERPRINT);
    if (workspace.isResumed()
        && Files.exists(file)
        && !Files.readString(file).equals(fingerprint)) {
      throw new RunException(
          "the texts are not those that the run in "
              + workspace.folder()
              + " began with: restore the old files, or start again with --overwrite");
    }
    AtomicFile.write(file, fingerprint.getBytes(StandardCharsets.UTF_8));
  }

  private static String fingerprint(ParallelTexts learned, ParallelTexts heldOut) {
    String all =
        String.join("\n", learned.source())
            + String.join("\n", learned.target())
            + String.join("\n", heldOut.source())
            + String.join("\n", heldOut.target());
    return Fingerprint.of(all.getBytes(StandardCharsets.UTF_8));
  }

  private static ParallelTexts read(String source, String target) {
    ParallelTexts texts = ParallelTexts.read(Path.of(source), Path.of(target)).withoutBlanks();
    if (texts.size() == 0) {
      throw new DataException(source + " and " + target + " hold blank lines only");
    }
    return texts;
  }

  /**
   * Reads the texts of a request, with their translations.
   *
   * @param folder that of the translator
   */
  static ParallelTexts of(EvaluationRequest request, Path folder) {
    if (request.data().isEmpty() || request.references() == null) {
      throw new RunException(
          folder
              + " holds a translator: give texts with --source, their translations with"
              + " --target");
    }
    return ParallelTexts.read(request.only(), request.references());
  }

  /**
   * Measures the BLEU of translations of the texts of a request, and losses of their references.
   *
   * @param folder that of the translator
   * @param translator made for the folder's tokenizer
   * @param losses of texts whose translations are given
   */
  static EvaluationResult evaluate(
      EvaluationRequest request,
      Path folder,
      Progress progress,
      Function<Tokenizer, TextTranslator> translator,
      BiFunction<ParallelTexts, Tokenizer, Metrics> losses)
      throws IOException {
    ParallelTexts texts = of(request, folder);
    Tokenizer tokenizer = Tokenizers.load(folder);
    List<String> translations;
    try (Progress.Work work = progress.begin("translating", texts.size(), "texts")) {
      translations = translator.apply(tokenizer).translate(texts.source(), work::at);
    }
    Bleu bleu = Bleu.of(translations, texts.target());
    Map<String, String> details = new LinkedHashMap<>();
    details.put("signature", Bleu.SIGNATURE);
    details.put("details", bleu.toString());
    return new EvaluationResult(
        request.only().toString(),
        texts.size(),
        "texts",
        losses.apply(texts, tokenizer).under(bleu.metric()),
        details,
        List.of());
  }

  String fingerprint() {
    return fingerprint(learned, heldOut);
  }

  DataSummary summary(Task task) {
    return new DataSummary(
        source,
        "pairs",
        learned.size(),
        heldOut.size(),
        String.format(Locale.ROOT, "batches of about %,d tokens", task.unitsPerBatch()));
  }

  void saveTokenizer(Path folder) throws IOException {
    if (!Files.exists(folder.resolve(Tokenizer.FILE))) {
      tokenizer.save(folder);
    }
  }

  @Override
  public void close() {
    if (workspace != null) {
      workspace.close();
    }
  }
}
