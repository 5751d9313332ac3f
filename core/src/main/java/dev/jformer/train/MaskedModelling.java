package dev.jformer.train;

import dev.jformer.data.DataException;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenFile;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * The task of masked language modelling (<a href="https://arxiv.org/abs/1810.04805">BERT:
 * Pre-training of Deep Bidirectional Transformers for Language Understanding</a>): an encoder
 * predicts 15 % of the tokens of a text, drawn anew in every batch. Of these 80 % are replaced by
 * the mask, 10 % by a random token, and 10 % stay.
 */
public final class MaskedModelling implements Classifying {
  private static final double ASKED = 0.15;
  private static final double MASKED = 0.8;
  private static final double RANDOM = 0.9;
  private static final long EVALUATION_SEED = 7;

  private final Encoder model;
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
  public MaskedModelling(
      Encoder model, TokenFile tokens, int batch, long seed, long evaluationBatches) {
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
  public MaskedModelling(
      Encoder model, TokenFile tokens, int batch, int length, long seed, long evaluationBatches) {
    this(
        model,
        tokens,
        batch,
        length,
        new SequenceSampler(tokens, batch, length, seed),
        evaluationBatches);
  }

  private MaskedModelling(
      Encoder model,
      TokenFile tokens,
      int batch,
      int length,
      SequenceSampler sampler,
      long evaluationBatches) {
    if (!model.config().fits(tokens.header().vocabulary())) {
      throw new DataException(
          "the tokens have a vocabulary of "
              + tokens.header().vocabulary()
              + ", but the model's has "
              + model.config().tokens()
              + ": use the model's own tokenizer");
    }
    this.model = model;
    this.tokens = tokens;
    this.batch = batch;
    this.length = length;
    this.sampler = sampler;
    this.evaluationBatches = evaluationBatches;
  }

  /**
   * Measures the mean cross-entropy of masked tokens in nats, of a model in inference mode on the
   * held-out part of a token file; the file may have no training part.
   *
   * @param limit the most batches to evaluate
   */
  public static Metrics evaluate(Encoder model, TokenFile tokens, int batch, long limit) {
    return new MaskedModelling(model, tokens, batch, model.config().length(), null, limit)
        .evaluate();
  }

  @Override
  public Passes<Encoder> passes(long index) {
    return passes(sampler.batch(index).inputs());
  }

  /** Prepares passes over texts, all with the same tokens masked. */
  Passes<Encoder> passes(Tensor ids) {
    Tensor flat = ids.flatten(0, 1);
    Tensor drawn = Tensor.rand(flat.elements());
    Tensor places = drawn.lt(ASKED).nonzero().flatten(0, 1);
    if (places.elements() == 0) {
      places = Tensor.arange(0, 1);
    }
    Tensor targets = flat.indexSelect(0, places);
    Tensor kind = Tensor.rand(places.elements());
    Tensor other = Tensor.randint(0, model.config().tokens(), places.elements());
    Tensor shown = other.where(kind.lt(RANDOM), targets);
    shown = shown.where(kind.ge(MASKED), Tensor.full((double) model.mask(), DType.INT64, 1));
    Tensor masked = flat.copy().indexCopy_(0, places, shown).view(ids.shape().toArray());
    Tensor asked = places;
    return new Passes<>(
        Encoder.class,
        model,
        encoder -> encoder.mlmLogitsAt(masked, asked),
        logits -> Functional.crossEntropy(logits, targets, -1, 0));
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
   * Measures mean cross-entropy of masked tokens in nats; every evaluation masks the same tokens.
   */
  @Override
  public Metrics evaluate() {
    Tensor random = Random.state();
    Random.seed(EVALUATION_SEED);
    double[] sum = new double[2];
    HeldOut.read(
        tokens,
        batch,
        length,
        evaluationBatches,
        part -> {
          try (Scope scope = Scope.open()) {
            Prediction prediction = passes(part.inputs()).get();
            long count = prediction.logits().size(0);
            sum[0] += prediction.loss().item() * count;
            sum[1] += count;
          }
        });
    Random.restore(random);
    return Metrics.ofLoss(sum[0] / sum[1], "nats per masked token");
  }
}
