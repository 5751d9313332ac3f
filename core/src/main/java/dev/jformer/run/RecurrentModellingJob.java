package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.model.RecurrentLm;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.RecurrentModelling;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/**
 * The job of language modelling with a state that is carried from each window of a text to the
 * next.
 */
@AutoService(Job.class)
public record RecurrentModellingJob() implements Job {
  private static final long EVALUATION_BATCHES = 400;

  @Override
  public String type() {
    return "recurrent-language-modelling";
  }

  @Override
  public Class<TextData> data() {
    return TextData.class;
  }

  @Override
  public Class<RecurrentLm.Config> model() {
    return RecurrentLm.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    PretrainedStart.copyTokenizer(recipe, workspace.folder());
    TextPreparation text = new TextPreparation((TextData) recipe.data(), workspace);
    Tokenizer tokenizer = text.tokenizer();
    boolean trained = !recipe.from().isEmpty();
    return new Data(text.data().source(), text.tokens(tokenizer), tokenizer, workspace, trained);
  }

  /** Prepares tokens that are bytes, which are not closed with the data. */
  public static PreparedData of(TokenFile bytes) {
    return new Data("", bytes, new ByteTokenizer(), null, false);
  }

  private static final class Data extends PreparedTokens {
    private final boolean trained;

    /** Tokens for a model of random weights, or for one that begins with trained ones. */
    Data(
        String source,
        TokenFile tokens,
        Tokenizer tokenizer,
        Workspace workspace,
        boolean trained) {
      super(source, tokens, tokenizer, workspace);
      this.trained = trained;
    }

    @Override
    public Job job() {
      return new RecurrentModellingJob();
    }

    @Override
    public RecurrentLm.Config fit(Model.Config config) {
      RecurrentLm.Config own = (RecurrentLm.Config) config;
      return own.withLm(own.lm().withVocab(vocabulary(own.lm().vocab(), trained)));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      long most = evaluationBatches == USUAL ? EVALUATION_BATCHES : evaluationBatches;
      int window = ((RecurrentLm) model).config().window();
      if (window(recipe, window) < window) {
        throw new RunException(
            "data.length is "
                + window(recipe, window)
                + ", but the model carries its state over windows of "
                + window
                + " tokens: set model.recurrence.window, or data.length to 0");
      }
      return new RecurrentModelling(
          (RecurrentLm) model, tokens, recipe.training().batch(), recipe.training().seed(), most);
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof RecurrentLm.Config;
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (RecurrentLm) model);
  }

  private static final class Use extends TrainedModel {
    private final RecurrentLm model;

    Use(Path folder, RecurrentLm model) {
      super(new RecurrentModellingJob(), folder, model, null);
      this.model = model;
    }

    @Override
    public boolean readsWindows() {
      return true;
    }

    @Override
    public boolean hasHeldOutData() {
      return HeldOutTokens.exist(folder());
    }

    /** Measures the loss with the state carried, and that of each window alone beside it. */
    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      if (request.stride() != 0) {
        throw new RunException(
            folder()
                + " holds a model that carries a state from window to window, so that windows do"
                + " not overlap: leave out --stride");
      }
      if (request.states() != null) {
        throw new RunException(
            folder()
                + " holds a model that carries a state of its own: its cache is not optimized");
      }
      return HeldOutTokens.measure(
          folder(),
          request,
          tokens -> {
            int window = request.windowOf(model.lm().longest(), model.config().window());
            double loss = loss(tokens, request, window, state -> state);
            double alone = loss(tokens, request, window, state -> null);
            Metrics metrics = LanguageModelling.metrics(loss, tokens);
            return EvaluationResult.of(
                "text",
                tokens.header().validationTokens(),
                "tokens",
                metrics
                    .with(Metric.lower("perplexity", Math.exp(loss), ""))
                    .with(Metric.lower("lossWithoutState", alone, "nats per token")));
          });
    }

    private double loss(
        TokenFile tokens, EvaluationRequest request, int window, UnaryOperator<Tensor> carried) {
      int streams = HeldOutTokens.rows(request.batch(), window);
      return RecurrentModelling.evaluate(model, tokens, streams, window, Long.MAX_VALUE, carried);
    }
  }
}
