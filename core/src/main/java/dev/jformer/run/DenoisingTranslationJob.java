package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.DenoisingBleuValidation;
import dev.jformer.decode.DenoisingSearch;
import dev.jformer.decode.DenoisingTextTranslator;
import dev.jformer.metrics.Bleu;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.DenoisingTranslator;
import dev.jformer.model.Model;
import dev.jformer.train.DenoisingTranslation;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The job of translation by models that write all words at once: a {@link DenoisingTranslator}
 * learns from texts and their translations.
 */
@AutoService(Job.class)
public record DenoisingTranslationJob() implements Job {
  @Override
  public String type() {
    return "denoising-translation";
  }

  @Override
  public Class<TranslationData> data() {
    return TranslationData.class;
  }

  @Override
  public Class<DenoisingTranslator.Config> model() {
    return DenoisingTranslator.Config.class;
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
      return new DenoisingTranslationJob();
    }

    @Override
    public DenoisingTranslator.Config fit(Model.Config config) {
      DenoisingTranslator.Config own = (DenoisingTranslator.Config) config;
      return own.withEncoder(own.encoder().sized(texts.tokenizer().vocabularySize(), 0));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      DenoisingTranslator translator = (DenoisingTranslator) model;
      TranslationData data = (TranslationData) recipe.data();
      DenoisingTranslation task =
          new DenoisingTranslation(
              translator,
              pairs(translator, texts.learned()),
              pairs(translator, texts.heldOut()),
              data.tokens(),
              recipe.training().batch(),
              data.smoothing(),
              recipe.training().seed());
      return data.select() == TranslationData.Select.BLEU
          ? new DenoisingBleuValidation(task, translator, texts.tokenizer(), texts.heldOut())
          : task;
    }

    private List<TokenPair> pairs(DenoisingTranslator model, ParallelTexts some) {
      return TokenPair.of(some, texts.tokenizer(), model.end(), model.config().length());
    }

    @Override
    public String fingerprint() {
      return texts.fingerprint();
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
        DenoisingSearch.Settings usual = new DenoisingSearch.Settings();
        String translation =
            new DenoisingTextTranslator((DenoisingTranslator) model, texts.tokenizer(), usual, 1)
                .translate(text);
        return "  " + text + " → " + translation;
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
    return trained instanceof DenoisingTranslator.Config;
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (DenoisingTranslator) model);
  }

  private static final class Use extends TrainedModel {
    private final DenoisingTranslator model;

    Use(Path folder, DenoisingTranslator model) {
      super(new DenoisingTranslationJob(), folder, model, null);
      this.model = model;
    }

    /** Measures BLEU of the translations of texts, and the loss of their references. */
    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      ParallelTexts texts = TranslationTexts.of(request, folder());
      Tokenizer tokenizer = Tokenizers.load(folder());
      DenoisingSearch.Settings usual = new DenoisingSearch.Settings();
      List<String> translations;
      try (Progress.Work work = progress.begin("translating", texts.size(), "texts")) {
        translations =
            new DenoisingTextTranslator(model, tokenizer, usual, request.batch())
                .translate(texts.source(), work::at);
      }
      Bleu bleu = Bleu.of(translations, texts.target());
      List<TokenPair> pairs = TokenPair.of(texts, tokenizer, model.end(), model.config().length());
      Metrics losses = DenoisingTranslation.evaluate(model, pairs);
      Map<String, String> details = new LinkedHashMap<>();
      details.put("signature", Bleu.SIGNATURE);
      details.put("details", bleu.toString());
      return new EvaluationResult(
          request.only().toString(),
          texts.size(),
          "texts",
          losses.under(bleu.metric()),
          details,
          List.of());
    }
  }
}
