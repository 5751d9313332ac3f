package dev.jformer.train;

import dev.jformer.data.DataException;
import dev.jformer.data.text.Batch;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenFile;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * The task of training a causal language model: predict each token of a text from the tokens before
 * it.
 */
public final class LanguageModelling implements Classifying {
  private final CausalLm model;
  private final TokenFile tokens;
  private final int batch;
  private final int length;
  private final SequenceSampler sampler;
  private final long evaluationBatches;

  /**
   * Creates a task.
   *
   * @param batch sequences in a batch, each of the model's length
   * @param evaluationBatches the most batches of held-out text in an evaluation
   * @throws DataException if tokens and model do not fit together
   */
  public LanguageModelling(
      CausalLm model, TokenFile tokens, int batch, long seed, long evaluationBatches) {
    this(model, tokens, batch, model.config().length(), seed, evaluationBatches);
  }

  /**
   * Creates a task of windows that may be shorter than the model's length.
   *
   * @param batch sequences in a batch
   * @param length tokens of a sequence
   * @param evaluationBatches the most batches of held-out text in an evaluation
   * @throws DataException if tokens and model do not fit together
   */
  public LanguageModelling(
      CausalLm model, TokenFile tokens, int batch, int length, long seed, long evaluationBatches) {
    checkVocabulary(tokens, model.config().vocab());
    this.model = model;
    this.tokens = tokens;
    this.batch = batch;
    this.length = length;
    this.sampler = new SequenceSampler(tokens, batch, length, seed);
    this.evaluationBatches = evaluationBatches;
  }

  /** Checks that a model of a vocabulary can learn tokens. */
  static void checkVocabulary(TokenFile tokens, int vocab) {
    if (tokens.header().vocabulary() > vocab) {
      throw new DataException(
          "the tokens have a vocabulary of "
              + tokens.header().vocabulary()
              + ", but the model's has "
              + vocab
              + ": use the model's own tokenizer");
    }
  }

  @Override
  public Passes<CausalLm> passes(long index) {
    Batch batch = sampler.batch(index);
    Tensor targets = batch.targets().flatten(0, 1);
    return new Passes<>(
        CausalLm.class,
        model,
        lm -> lm.logits(batch.inputs()).flatten(0, 1).to(DType.FLOAT32),
        logits -> Functional.crossEntropy(logits, targets, -1, 0));
  }

  @Override
  public Tensor loss(long index) {
    Batch read = sampler.batch(index);
    AuxiliaryLosses.predictions(read.targets().elements());
    return model.loss(read.inputs(), read.targets());
  }

  @Override
  public long unitsPerBatch() {
    return (long) batch * length;
  }

  @Override
  public String unit() {
    return "tokens";
  }

  /**
   * Measures mean cross-entropy on held-out text: {@code loss} in nats per token, and {@code
   * lossPerByte}.
   */
  @Override
  public Metrics evaluate() {
    return metrics(evaluate(model, tokens, batch, length, length, evaluationBatches), tokens);
  }

  /**
   * Converts a loss per token on the held-out part of a token file to metrics per token and per
   * byte.
   */
  public static Metrics metrics(double loss, TokenFile tokens) {
    TokenFile.Header header = tokens.header();
    double tokensPerByte = (double) header.validationTokens() / header.validationBytes();
    return Metrics.ofLoss(loss, "nats per token")
        .with(Metric.lower("lossPerByte", loss * tokensPerByte, "nats per byte"));
  }

  /**
   * Mean cross-entropy of a model on the held-out part of a token file, in nats per token.
   *
   * @param limit the most batches to evaluate
   */
  public static double evaluate(CausalLm model, TokenFile tokens, int batch, long limit) {
    int length = model.config().length();
    return evaluate(model, tokens, batch, length, length, limit);
  }

  /**
   * As above, in windows of the text.
   *
   * @param window tokens that the model sees at once
   * @param stride tokens from one window's start to the next; where windows overlap, a token counts
   *     in the first that has it
   */
  public static double evaluate(
      CausalLm model, TokenFile tokens, int batch, int window, int stride, long limit) {
    double[] sum = new double[2];
    HeldOut.read(
        tokens,
        batch,
        window,
        stride,
        limit,
        part -> {
          try (Scope scope = Scope.open()) {
            double targets = part.targets().ge(0).to(DType.FLOAT64).sum().item();
            sum[0] += model.loss(part.inputs(), part.targets()).item() * targets;
            sum[1] += targets;
          }
        });
    return sum[0] / sum[1];
  }
}
