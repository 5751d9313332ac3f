package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.decode.Generator;
import dev.jformer.decode.HiddenStateOptimization;
import dev.jformer.decode.Sampling;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The job of language modelling: a causal language model learns to predict the next token of a
 * text.
 */
@AutoService(Job.class)
public record LanguageModellingJob() implements Job {
  private static final long EVALUATION_BATCHES = 200;
  private static final int SAMPLED_TOKENS = 160;

  @Override
  public String type() {
    return "language-modelling";
  }

  @Override
  public Class<TextData> data() {
    return TextData.class;
  }

  @Override
  public Class<CausalLm.Config> model() {
    return CausalLm.Config.class;
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
    return of(bytes, new ByteTokenizer());
  }

  /** Prepares existing tokens, which are not closed with the data. */
  public static PreparedData of(TokenFile tokens, Tokenizer tokenizer) {
    return new Data("", tokens, tokenizer, null, false);
  }

  private static final class Data extends PreparedTokens {
    private final boolean trained;

    /** Tokens for a model of random weights, or for one that is trained. */
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
      return new LanguageModellingJob();
    }

    @Override
    public CausalLm.Config fit(Model.Config config) {
      CausalLm.Config own = (CausalLm.Config) config;
      return own.withVocab(vocabulary(own.vocab(), trained));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      long most = evaluationBatches == USUAL ? EVALUATION_BATCHES : evaluationBatches;
      return new LanguageModelling(
          (CausalLm) model,
          tokens,
          recipe.training().batch(),
          window(recipe, ((CausalLm) model).config().length()),
          recipe.training().seed(),
          most);
    }

    @Override
    public void checkPrompt(Model model, String prompt) {
      int length = tokenizer.encodePrompt(prompt).length;
      long longest = ((CausalLm) model).longest();
      if (length == 0) {
        throw new RunException("the text to sample from is empty: expected at least a character");
      }
      if (length >= longest) {
        throw new RunException(
            "the text to sample from has "
                + length
                + " tokens, but the model takes "
                + longest
                + ": shorten it or raise model.length");
      }
    }

    /** Continues the prompt by sampling. */
    @Override
    public String sample(Model model, String prompt) {
      if (prompt == null) {
        return null;
      }
      CausalLm lm = (CausalLm) model;
      int[] ids = tokenizer.encodePrompt(prompt);
      int room = (int) Math.min(SAMPLED_TOKENS, lm.longest() - ids.length);
      Generator.Request request = new Generator.Request(room, new Sampling());
      return prompt
          + new Generator(lm)
              .generate(List.of(ids), request, tokenizer::decode, null)
              .get(0)
              .text();
    }

    @Override
    public double forwardFlops(Model model, Task task) {
      CausalLm lm = (CausalLm) model;
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Tensor random = Random.state();
        lm.train(false);
        Tensor ids = Tensor.zeros(DType.INT64, 1, lm.config().length());
        double flops = Flops.of(() -> lm.logits(ids)) / lm.config().length();
        lm.train(true);
        Random.restore(random);
        return flops;
      }
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof CausalLm.Config;
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (CausalLm) model);
  }

  private static final class Use extends TrainedModel {
    private final CausalLm model;

    Use(Path folder, CausalLm model) {
      super(new LanguageModellingJob(), folder, model, new CausalPasses());
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

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      return HeldOutTokens.measure(
          folder(),
          request,
          tokens -> {
            int window = request.windowOf(model.longest(), model.config().length());
            int rows = HeldOutTokens.rows(request.batch(), window);
            double loss = loss(request, tokens, rows, window);
            Metrics metrics = LanguageModelling.metrics(loss, tokens);
            double perByte = metrics.get("lossPerByte");
            return EvaluationResult.of(
                "text",
                tokens.header().validationTokens(),
                "tokens",
                metrics
                    .with(Metric.lower("perplexity", Math.exp(loss), ""))
                    .with(Metric.lower("bitsPerByte", perByte / Math.log(2), "bits")));
          });
    }

    private double loss(EvaluationRequest request, TokenFile tokens, int rows, int window) {
      int stride = request.strideOf(window);
      if (request.states() == null) {
        return LanguageModelling.evaluate(model, tokens, rows, window, stride, Long.MAX_VALUE);
      }
      if (stride != window) {
        throw new RunException(
            "the stride is "
                + stride
                + " tokens: windows in which states are optimized do not overlap");
      }
      try (HiddenStateOptimization optimization =
          new HiddenStateOptimization(model, request.states())) {
        return optimization.evaluate(tokens, rows, window, Long.MAX_VALUE);
      }
    }

    @Override
    void calibrate(CalibrationBatches batches, Path data, List<String> endings) throws IOException {
      int window = Math.min(model.config().length(), EvaluationRequest.USUAL_WINDOW);
      HeldOutTokens.calibrate(batches, folder(), data, endings, window, true);
    }
  }
}
