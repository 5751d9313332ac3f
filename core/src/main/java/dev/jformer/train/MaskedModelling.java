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
import java.util.function.Supplier;

/**
 * Training an encoder on text to fill in what is masked (arXiv 1810.04805): of 15 % of the tokens,
 * drawn anew in every batch, eight in ten are replaced by the mask, one by a random token, one
 * stays; the model is asked what all of them were.
 */
public final class MaskedModelling implements Classifying {
  private static final double ASKED = 0.15;
  private static final double MASKED = 0.8;
  private static final double RANDOM = 0.9;
  private static final long EVALUATION_SEED = 7;

  private final Encoder model;
  private final TokenFile tokens;
  private final int batch;
  private final SequenceSampler sampler;
  private final long evaluationBatches;

  /**
   * A task.
   *
   * @param batch sequences in a batch, each of the model's length
   * @param evaluationBatches the most batches of held-out text an evaluation looks at
   * @throws DataException if tokens and model do not fit together
   */
  public MaskedModelling(
      Encoder model, TokenFile tokens, int batch, long seed, long evaluationBatches) {
    this(
        model,
        tokens,
        batch,
        new SequenceSampler(tokens, batch, model.config().length(), seed),
        evaluationBatches);
  }

  private MaskedModelling(
      Encoder model, TokenFile tokens, int batch, SequenceSampler sampler, long evaluationBatches) {
    if (!model.config().fits(tokens.header().vocabulary())) {
      throw new DataException(
          "the tokens are of a vocabulary of "
              + tokens.header().vocabulary()
              + ", but the model's has "
              + model.config().tokens()
              + ": use the tokenizer the model was made for");
    }
    this.model = model;
    this.tokens = tokens;
    this.batch = batch;
    this.sampler = sampler;
    this.evaluationBatches = evaluationBatches;
  }

  /**
   * Mean cross-entropy of masked tokens in nats, of a model in inference on the held-out part of a
   * token file, which needs no other.
   *
   * @param limit the most batches to look at
   */
  public static Metrics evaluate(Encoder model, TokenFile tokens, int batch, long limit) {
    return new MaskedModelling(model, tokens, batch, null, limit).evaluate();
  }

  @Override
  public Supplier<Prediction> passes(long index) {
    return passes(sampler.batch(index).inputs());
  }

  /** Passes over texts in which the same tokens are masked. */
  private Supplier<Prediction> passes(Tensor ids) {
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
    return () -> {
      Tensor logits = model.mlmLogitsAt(masked, asked);
      return new Prediction(logits, Functional.crossEntropy(logits, targets, -1, 0));
    };
  }

  @Override
  public long unitsPerBatch() {
    return (long) batch * model.config().length();
  }

  @Override
  public String unit() {
    return "tokens";
  }

  /** Mean cross-entropy of masked tokens in nats; the same ones are masked in every evaluation. */
  @Override
  public Metrics evaluate() {
    Tensor random = Random.state();
    Random.seed(EVALUATION_SEED);
    double[] sum = new double[2];
    HeldOut.read(
        tokens,
        batch,
        model.config().length(),
        evaluationBatches,
        part -> {
          try (Scope scope = Scope.open()) {
            long count = part.inputs().elements();
            sum[0] += passes(part.inputs()).get().loss().item() * count;
            sum[1] += count;
          }
        });
    Random.restore(random);
    return Metrics.ofLoss(sum[0] / sum[1], "nats per masked token");
  }
}
