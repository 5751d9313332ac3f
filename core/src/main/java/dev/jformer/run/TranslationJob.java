package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.DataException;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.BeamTranslator;
import dev.jformer.decode.BleuValidation;
import dev.jformer.io.AtomicFile;
import dev.jformer.metrics.Bleu;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.train.Task;
import dev.jformer.train.Translation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The job of translation: an encoder-decoder learns from texts and their translations. */
@AutoService(Job.class)
public record TranslationJob() implements Job {
  private static final String FINGERPRINT = "texts.sha256";

  @Override
  public String type() {
    return "translation";
  }

  @Override
  public Class<TranslationData> data() {
    return TranslationData.class;
  }

  @Override
  public Class<EncoderDecoder.Config> model() {
    return EncoderDecoder.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
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
    return new Data(data.source(), learned, heldOut, tokenizer, workspace);
  }

  /** Prepares texts in memory. */
  public static PreparedData of(
      ParallelTexts training, ParallelTexts heldOut, Tokenizer tokenizer) {
    return new Data("", training, heldOut, tokenizer, null);
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

  private record Data(
      String source,
      ParallelTexts learned,
      ParallelTexts heldOut,
      Tokenizer tokenizer,
      Workspace workspace)
      implements PreparedData {
    @Override
    public Job job() {
      return new TranslationJob();
    }

    @Override
    public EncoderDecoder.Config fit(Model.Config config) {
      return ((EncoderDecoder.Config) config)
          .sized(tokenizer.vocabularySize(), tokenizer.endOfText().orElse(-1));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      EncoderDecoder translator = (EncoderDecoder) model;
      TranslationData data = (TranslationData) recipe.data();
      Translation task =
          new Translation(
              translator,
              pairs(translator, learned),
              pairs(translator, heldOut),
              data.tokens(),
              recipe.training().batch(),
              data.smoothing(),
              recipe.training().seed());
      return data.select() == TranslationData.Select.BLEU
          ? new BleuValidation(task, translator, tokenizer, heldOut)
          : task;
    }

    private List<TokenPair> pairs(EncoderDecoder model, ParallelTexts texts) {
      return TokenPair.of(texts, tokenizer, model.end(), model.config().length());
    }

    @Override
    public String fingerprint() {
      return TranslationJob.fingerprint(learned, heldOut);
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      return SharedVocabulary.check(tokenizer, folder);
    }

    @Override
    public DataSummary summary(Task task) {
      return new DataSummary(
          source,
          "pairs",
          learned.size(),
          heldOut.size(),
          String.format(Locale.ROOT, "batches of about %,d tokens", task.unitsPerBatch()));
    }

    /** Translates a held-out text. */
    @Override
    public String sample(Model model, String prompt) {
      boolean learning = model.isTraining();
      model.train(false);
      try {
        String text = prompt == null ? heldOut.source().get(0) : prompt;
        BeamSearch.Settings greedy = new BeamSearch.Settings(1);
        BeamTranslator translator =
            new BeamTranslator((EncoderDecoder) model, tokenizer, greedy, 1);
        return "  " + text + " → " + translator.translate(text);
      } finally {
        model.train(learning);
      }
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
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

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof EncoderDecoder.Config;
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (EncoderDecoder) model);
  }

  private static final class Use extends TrainedModel {
    private final EncoderDecoder model;

    Use(Path folder, EncoderDecoder model) {
      super(new TranslationJob(), folder, model, null);
      this.model = model;
    }

    /** Measures BLEU of the translations of texts, and the cross-entropy of their references. */
    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      if (request.data().isEmpty() || request.references() == null) {
        throw new RunException(
            folder()
                + " holds a translator: give texts with --source, their translations with"
                + " --target");
      }
      ParallelTexts texts = ParallelTexts.read(request.only(), request.references());
      Tokenizer tokenizer = Tokenizers.load(folder());
      List<String> translations;
      try (Progress.Work work = progress.begin("translating", texts.size(), "texts")) {
        translations =
            new BeamTranslator(model, tokenizer, request.search(), request.batch())
                .translate(texts.source(), work::at);
      }
      Bleu bleu = Bleu.of(translations, texts.target());
      double loss =
          Translation.evaluate(
              model, TokenPair.of(texts, tokenizer, model.end(), model.config().length()));
      Map<String, String> details = new LinkedHashMap<>();
      details.put("signature", Bleu.SIGNATURE);
      details.put("details", bleu.toString());
      return new EvaluationResult(
          request.only().toString(),
          texts.size(),
          "texts",
          Metrics.ofLoss(loss, "nats per token").under(bleu.metric()),
          details,
          List.of());
    }
  }
}
