package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.BeamTranslator;
import dev.jformer.decode.BleuValidation;
import dev.jformer.metrics.Bleu;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.train.Task;
import dev.jformer.train.Translation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The job of translation: an encoder-decoder learns from texts and their translations. */
@AutoService(Job.class)
public record TranslationJob() implements Job {
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
    return new Data(TranslationTexts.prepare(recipe, workspace));
  }

  /** Prepares texts in memory. */
  public static PreparedData of(
      ParallelTexts training, ParallelTexts heldOut, Tokenizer tokenizer) {
    return new Data(new TranslationTexts("", training, heldOut, tokenizer, null));
  }

  private record Data(TranslationTexts texts) implements PreparedData {
    @Override
    public Job job() {
      return new TranslationJob();
    }

    @Override
    public EncoderDecoder.Config fit(Model.Config config) {
      return ((EncoderDecoder.Config) config)
          .sized(texts.tokenizer().vocabularySize(), texts.tokenizer().endOfText().orElse(-1));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      EncoderDecoder translator = (EncoderDecoder) model;
      TranslationData data = (TranslationData) recipe.data();
      Translation task =
          new Translation(
              translator,
              pairs(translator, texts.learned()),
              pairs(translator, texts.heldOut()),
              data.tokens(),
              recipe.training().batch(),
              data.smoothing(),
              recipe.training().seed());
      return data.select() == TranslationData.Select.BLEU
          ? new BleuValidation(task, translator, texts.tokenizer(), texts.heldOut())
          : task;
    }

    private List<TokenPair> pairs(EncoderDecoder model, ParallelTexts some) {
      return TokenPair.of(some, texts.tokenizer(), model.end(), model.config().length());
    }

    @Override
    public String fingerprint() {
      return texts.fingerprint();
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      return SharedVocabulary.check(texts.tokenizer(), folder);
    }

    @Override
    public DataSummary summary(Task task) {
      return texts.summary(task);
    }

    /** Translates a held-out text. */
    @Override
    public String sample(Model model, String prompt) {
      boolean learning = model.isTraining();
      model.train(false);
      try {
        String text = prompt == null ? texts.heldOut().source().get(0) : prompt;
        BeamSearch.Settings greedy = new BeamSearch.Settings(1);
        BeamTranslator translator =
            new BeamTranslator((EncoderDecoder) model, texts.tokenizer(), greedy, 1);
        return "  " + text + " → " + translator.translate(text);
      } finally {
        model.train(learning);
      }
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      texts.saveTokenizer(folder);
    }

    @Override
    public void close() {
      texts.close();
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
      ParallelTexts texts = TranslationTexts.of(request, folder());
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
