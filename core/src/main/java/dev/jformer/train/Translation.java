package dev.jformer.train;

import dev.jformer.data.DataException;
import dev.jformer.data.text.LengthBatches;
import dev.jformer.data.text.PairBatch;
import dev.jformer.data.text.TokenPair;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The task of training an encoder-decoder to translate: predict each token from the source and the
 * tokens before it.
 */
public final class Translation implements Classifying {
  private static final int EVALUATED_TOGETHER = 64;

  private final EncoderDecoder model;
  private final List<TokenPair> heldOut;
  private final LengthBatches batches;
  private final double smoothing;
  private final long unitsPerBatch;

  /**
   * Creates a task.
   *
   * @param tokens the most tokens of a batch; see {@link LengthBatches}
   * @param most the most pairs of a batch
   * @param smoothing share of each target that is spread over the vocabulary
   * @throws DataException if there are no pairs to train or to validate on
   */
  public Translation(
      EncoderDecoder model,
      List<TokenPair> training,
      List<TokenPair> heldOut,
      int tokens,
      int most,
      double smoothing,
      long seed) {
    if (heldOut.isEmpty()) {
      throw new DataException("there are no pairs of texts to validate on: expected at least one");
    }
    this.model = model;
    this.heldOut = heldOut;
    this.batches = new LengthBatches(training, tokens, most, seed);
    this.smoothing = smoothing;
    long all = training.stream().mapToLong(pair -> pair.target().length).sum();
    this.unitsPerBatch = Math.max(1, Math.round((double) all / batches.perEpoch()));
  }

  /** The number of batches in an epoch. */
  public int batchesPerEpoch() {
    return batches.perEpoch();
  }

  /** The batch with an index, from 0. */
  public PairBatch batch(long index) {
    return PairBatch.of(batches.chosen(index));
  }

  /**
   * Prepares passes over one batch, with the smoothed cross-entropy in nats per token as the loss.
   */
  @Override
  public Passes<EncoderDecoder> passes(long index) {
    PairBatch batch = batch(index);
    return new Passes<>(
        EncoderDecoder.class,
        model,
        translator -> logits(translator, batch),
        logits -> Functional.crossEntropy(logits, batch.targets(), -1, smoothing));
  }

  /** Computes the logits of the targets of a batch: [M, V], float32. */
  public static Tensor logits(EncoderDecoder model, PairBatch batch) {
    return model.logits(batch.source(), batch.paddingMask(), batch.inputs(), batch.places());
  }

  /** The average number of tokens to predict in a batch. */
  @Override
  public long unitsPerBatch() {
    return unitsPerBatch;
  }

  @Override
  public String unit() {
    return "tokens";
  }

  /** Measures cross-entropy on the held-out translations, not smoothed, in nats per token. */
  @Override
  public Metrics evaluate() {
    return Metrics.ofLoss(evaluate(model, heldOut), "nats per token");
  }

  /** Measures the cross-entropy of translations, not smoothed, in nats per token. */
  public static double evaluate(EncoderDecoder model, List<TokenPair> pairs) {
    List<TokenPair> sorted = new ArrayList<>(pairs);
    sorted.sort(Comparator.comparingInt(pair -> pair.target().length));
    double sum = 0;
    long count = 0;
    boolean learning = model.isTraining();
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      for (int from = 0; from < sorted.size(); from += EVALUATED_TOGETHER) {
        List<TokenPair> some =
            sorted.subList(from, Math.min(sorted.size(), from + EVALUATED_TOGETHER));
        try (Scope scope = Scope.open()) {
          PairBatch batch = PairBatch.of(some);
          Tensor loss = Functional.crossEntropy(logits(model, batch), batch.targets(), -1, 0);
          sum += loss.item() * batch.tokens();
          count += batch.tokens();
        }
      }
    } finally {
      model.train(learning);
    }
    return sum / count;
  }
}
