package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.decode.DenoisingBleuValidation;
import dev.jformer.decode.DenoisingSearch;
import dev.jformer.decode.DenoisingTextTranslator;
import dev.jformer.decode.TextTranslator;
import dev.jformer.model.DenoisingTranslator;
import dev.jformer.model.Model;
import dev.jformer.train.DenoisingTranslation;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;

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

  private static final class Data extends PreparedTranslations {
    Data(TranslationTexts texts) {
      super(texts);
    }

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
              pairs(texts.learned(), translator.end(), translator.config().length()),
              pairs(texts.heldOut(), translator.end(), translator.config().length()),
              data.tokens(),
              recipe.training().batch(),
              data.smoothing(),
              recipe.training().seed());
      return data.select() == TranslationData.Select.BLEU
          ? new DenoisingBleuValidation(task, translator, texts.tokenizer(), texts.heldOut())
          : task;
    }

    @Override
    TextTranslator translator(Model model) {
      DenoisingSearch.Settings usual = new DenoisingSearch.Settings();
      return new DenoisingTextTranslator((DenoisingTranslator) model, texts.tokenizer(), usual, 1);
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
      DenoisingSearch.Settings usual = new DenoisingSearch.Settings();
      return TranslationTexts.evaluate(
          request,
          folder(),
          progress,
          tokenizer -> new DenoisingTextTranslator(model, tokenizer, usual, request.batch()),
          (texts, tokenizer) ->
              DenoisingTranslation.evaluate(
                  model, TokenPair.of(texts, tokenizer, model.end(), model.config().length())));
    }
  }
}
