package dev.jformer.app.command;

import dev.jformer.data.DataException;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.BleuValidation;
import dev.jformer.decode.Translator;
import dev.jformer.hub.Models;
import dev.jformer.io.AtomicFile;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.run.Recipe;
import dev.jformer.run.TranslationData;
import dev.jformer.tensor.Random;
import dev.jformer.train.Task;
import dev.jformer.train.Translation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** An encoder-decoder that learns to translate from texts and their translations. */
final class TranslationAssignment implements TrainingJob {
  private static final String FINGERPRINT = "texts.sha256";

  private final Path folder;
  private final TranslationData data;
  private final ParallelTexts learned;
  private final ParallelTexts heldOut;
  private final Tokenizer tokenizer;
  private final EncoderDecoder model;
  private final Translation task;
  private final BleuValidation judged;

  /**
   * Reads the texts and makes the model.
   *
   * @param resumed whether the texts must be those that the folder's run was begun with
   */
  TranslationAssignment(Recipe recipe, Path folder, boolean resumed, Console console)
      throws IOException {
    this.folder = folder;
    this.data = (TranslationData) recipe.data();
    if (data.target().isEmpty()) {
      throw new CommandException(
          "there are no translations of " + data.source() + ": give --target");
    }
    ParallelTexts all = read(data.source(), data.target());
    if (data.validationSource().isEmpty()) {
      int count = (int) Math.ceil(data.validation() * all.size());
      if (count >= all.size()) {
        throw new DataException(
            all.size() + " pairs of texts leave none to learn from: expected two or more");
      }
      this.learned = all.slice(0, all.size() - count);
      this.heldOut = all.slice(all.size() - count, all.size());
    } else {
      this.learned = all;
      this.heldOut = read(data.validationSource(), data.validationTarget());
    }
    remember(resumed);
    try (PretrainedStart origin = PretrainedStart.of(recipe)) {
      origin.tokenizer(folder);
      this.tokenizer = tokenizer(console);
      Random.seed(recipe.training().seed());
      EncoderDecoder.Config config = origin.config(EncoderDecoder.Config.class);
      this.model =
          origin.begin(
              config.sized(tokenizer.vocabularySize(), tokenizer.endOfText().orElse(-1)).build());
    }
    try {
      this.task =
          new Translation(
              model,
              pairs(learned),
              pairs(heldOut),
              data.tokens(),
              recipe.training().batch(),
              data.smoothing(),
              recipe.training().seed());
      this.judged = new BleuValidation(task, model, tokenizer, heldOut);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** A run that goes on with other texts would be neither the one nor the other. */
  private void remember(boolean resumed) throws IOException {
    String all =
        String.join("\n", learned.source())
            + String.join("\n", learned.target())
            + String.join("\n", heldOut.source())
            + String.join("\n", heldOut.target());
    String fingerprint = Fingerprint.of(all.getBytes(StandardCharsets.UTF_8));
    Path file = folder.resolve(FINGERPRINT);
    if (resumed && Files.exists(file) && !Files.readString(file).equals(fingerprint)) {
      throw new CommandException(
          "the texts are not those that the run in "
              + folder
              + " was begun with: put the old files back, or begin anew with --overwrite");
    }
    AtomicFile.write(file, fingerprint.getBytes(StandardCharsets.UTF_8));
  }

  private static ParallelTexts read(String source, String target) {
    ParallelTexts texts = ParallelTexts.read(Path.of(source), Path.of(target)).withoutBlanks();
    if (texts.size() == 0) {
      throw new DataException(source + " and " + target + " hold blank lines only");
    }
    return texts;
  }

  private List<TokenPair> pairs(ParallelTexts texts) {
    return TokenPair.of(texts, tokenizer, model.end(), model.config().length());
  }

  private Tokenizer tokenizer(Console console) throws IOException {
    Path own = folder.resolve(Tokenizer.FILE);
    if (Files.exists(own)) {
      return Tokenizers.load(own);
    }
    Tokenizer made;
    switch (data.tokenizer()) {
      case "byte" -> made = new ByteTokenizer();
      case "bpe" -> {
        try (Console.Bar bar = console.bar("learning tokens", data.vocabulary(), "tokens")) {
          made = learned.vocabulary().train(data.vocabulary(), count -> bar.at(count, ""));
        }
      }
      default -> made = Tokenizers.load(Path.of(data.tokenizer()));
    }
    made.save(folder);
    return made;
  }

  @Override
  public EncoderDecoder model() {
    return model;
  }

  @Override
  public Task task() {
    return byBleu() ? judged : task;
  }

  private boolean byBleu() {
    return data.select() == TranslationData.Select.BLEU;
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "%s%ntexts: %s, %,d pairs to train on in %,d batches of about %,d tokens, %,d held out",
        model,
        data.source(),
        learned.size(),
        task.batchesPerEpoch(),
        task.unitsPerBatch(),
        heldOut.size());
  }

  @Override
  public String describe(Metrics metrics) {
    return byBleu()
        ? String.format(
            Locale.ROOT, "BLEU %.2f, %.4f nats per token", metrics.get("bleu"), metrics.loss())
        : String.format(Locale.ROOT, "%.4f nats per token", metrics.loss());
  }

  @Override
  public void save() throws IOException {
    Models.save(model, folder);
  }

  @Override
  public String sample() {
    boolean learning = model.isTraining();
    model.train(false);
    try {
      String text = heldOut.source().get(0);
      String translation =
          new Translator(model, tokenizer, new BeamSearch.Settings(1), 1).translate(text);
      return "  " + text + " → " + translation;
    } finally {
      model.train(learning);
    }
  }

  @Override
  public String finish() {
    return "jformer translate " + folder + " '…'";
  }

  @Override
  public void close() {
    model.close();
  }
}
