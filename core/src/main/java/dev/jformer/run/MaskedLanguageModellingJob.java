package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.train.MaskedModelling;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The job of masked language modelling: an encoder learns to predict masked tokens of a text. */
@AutoService(Job.class)
public record MaskedLanguageModellingJob() implements Job {
  private static final long EVALUATION_BATCHES = 100;

  @Override
  public String type() {
    return "masked-language-modelling";
  }

  @Override
  public Class<TextData> data() {
    return TextData.class;
  }

  @Override
  public Class<Encoder.Config> model() {
    return Encoder.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    PretrainedStart.copyTokenizer(recipe, workspace.folder());
    TextPreparation text = new TextPreparation((TextData) recipe.data(), workspace);
    Tokenizer tokenizer = text.tokenizer();
    return new Data(text.data().source(), text.tokens(tokenizer), tokenizer, workspace);
  }

  /** Prepares tokens that are bytes, which are not closed with the data. */
  public static PreparedData of(TokenFile bytes) {
    return new Data("", bytes, new ByteTokenizer(), null);
  }

  private static final class Data extends PreparedTokens {
    Data(String source, TokenFile tokens, Tokenizer tokenizer, Workspace workspace) {
      super(source, tokens, tokenizer, workspace);
    }

    @Override
    public Job job() {
      return new MaskedLanguageModellingJob();
    }

    @Override
    public Encoder.Config fit(Model.Config config) {
      return ((Encoder.Config) config).sized(tokenizer.vocabularySize(), 0).withMlmHead();
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      long most = evaluationBatches == USUAL ? EVALUATION_BATCHES : evaluationBatches;
      return new MaskedModelling(
          (Encoder) model,
          tokens,
          recipe.training().batch(),
          window(recipe, ((Encoder) model).config().length()),
          recipe.training().seed(),
          most);
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof Encoder.Config encoder
        && encoder.labels() == 0
        && encoder.head().mlmHead();
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (Encoder) model);
  }

  private static final class Use extends TrainedModel {
    private final Encoder model;

    Use(Path folder, Encoder model) {
      super(new MaskedLanguageModellingJob(), folder, model, new EncoderPasses());
      this.model = model;
    }

    @Override
    public boolean hasHeldOutData() {
      return HeldOutTokens.exist(folder());
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      return HeldOutTokens.measure(
          folder(),
          request,
          tokens -> {
            int rows = HeldOutTokens.rows(request.batch(), model.config().length());
            Metrics metrics = MaskedModelling.evaluate(model, tokens, rows, Long.MAX_VALUE);
            return EvaluationResult.of(
                "text",
                tokens.header().validationTokens(),
                "tokens",
                metrics.with(Metric.lower("perplexity", Math.exp(metrics.loss()), "")));
          });
    }

    @Override
    void calibrate(CalibrationBatches batches, Path data, List<String> endings) throws IOException {
      HeldOutTokens.calibrate(batches, folder(), data, endings, model.config().length(), false);
    }
  }
}
