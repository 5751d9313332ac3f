package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.BeamTranslator;
import dev.jformer.decode.BleuValidation;
import dev.jformer.decode.TextTranslator;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.train.Task;
import dev.jformer.train.Translation;
import java.io.IOException;
import java.nio.file.Path;

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

  private static final class Data extends PreparedTranslations {
    Data(TranslationTexts texts) {
      super(texts);
    }

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
              pairs(texts.learned(), translator.end(), translator.config().length()),
              pairs(texts.heldOut(), translator.end(), translator.config().length()),
              data.tokens(),
              recipe.training().batch(),
              data.smoothing(),
              recipe.training().seed());
      return data.select() == TranslationData.Select.BLEU
          ? new BleuValidation(task, translator, texts.tokenizer(), texts.heldOut())
          : task;
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      return SharedVocabulary.check(texts.tokenizer(), folder);
    }

    @Override
    TextTranslator translator(Model model) {
      BeamSearch.Settings greedy = new BeamSearch.Settings(1);
      return new BeamTranslator((EncoderDecoder) model, texts.tokenizer(), greedy, 1);
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
      return TranslationTexts.evaluate(
          request,
          folder(),
          progress,
          tokenizer -> new BeamTranslator(model, tokenizer, request.search(), request.batch()),
          (texts, tokenizer) ->
              Metrics.ofLoss(
                  Translation.evaluate(
                      model, TokenPair.of(texts, tokenizer, model.end(), model.config().length())),
                  "nats per token"));
    }
  }
}
