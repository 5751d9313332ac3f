package dev.jformer.train;

import dev.jformer.data.DataException;
import dev.jformer.data.text.DenoisingBatch;
import dev.jformer.data.text.LengthBatches;
import dev.jformer.data.text.TokenPair;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.DenoisingTranslator;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The task of training a translator that improves a translation step by step (<a
 * href="https://arxiv.org/abs/2112.06749">Step-unrolled Denoising Autoencoders for Text
 * Generation</a>): from a {@linkplain DenoisingBatch#corrupted corrupted} translation the decoder
 * predicts all tokens of the right one; from tokens drawn of its own prediction it does so again,
 * as often as the model's configuration says. The loss is the mean of the cross-entropies of all
 * steps, plus that of the number of tokens. No gradient flows through what was drawn.
 */
public final class DenoisingTranslation implements Task {
  private static final int EVALUATED_TOGETHER = 64;
  private static final long EVALUATION_SEED = 7;

  private final DenoisingTranslator model;
  private final List<TokenPair> heldOut;
  private final LengthBatches batches;
  private final double smoothing;
  private final long unitsPerBatch;

  /**
   * Creates a task.
   *
   * @param training pairs whose texts end in the model's {@link DenoisingTranslator#end}
   * @param tokens the most tokens of a batch; see {@link LengthBatches}
   * @param most the most pairs of a batch
   * @param smoothing share of each target that is spread over the vocabulary
   * @throws DataException if there are no pairs to train or to validate on
   */
  public DenoisingTranslation(
      DenoisingTranslator model,
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

  /** The batch with an index, from 0. */
  public DenoisingBatch batch(long index) {
    return DenoisingBatch.of(batches.chosen(index), model.end());
  }

  @Override
  public Tensor loss(long index) {
    DenoisingBatch batch = batch(index);
    AuxiliaryLosses.predictions(batch.tokens());
    Tensor memory = model.encode(batch.source(), batch.sourceMask());
    List<Tensor> losses = losses(model, memory, batch, smoothing);
    Tensor sum = losses.get(0);
    for (Tensor loss : losses.subList(1, losses.size())) {
      sum = sum.add(loss);
    }
    return sum.mul(1.0 / losses.size()).add(lengthLoss(model, memory, batch));
  }

  /**
   * Computes the cross-entropy of each step in nats per token; what is corrupted and drawn follows
   * from the state of {@link Random}.
   */
  public static List<Tensor> losses(
      DenoisingTranslator model, Tensor memory, DenoisingBatch batch, double smoothing) {
    List<Tensor> losses = new ArrayList<>();
    Tensor draft = batch.corrupted(model.words());
    for (int step = 0; step < model.config().unrolled(); step++) {
      Tensor logits =
          model.logitsAt(memory, batch.sourceMask(), draft, batch.targetMask(), batch.places());
      losses.add(Functional.crossEntropy(logits, batch.targets(), -1, smoothing));
      if (step + 1 < model.config().unrolled()) {
        Tensor probabilities = logits.detach().softmax(1);
        draft = batch.with(probabilities.multinomial(1, false).squeeze(1));
      }
    }
    return losses;
  }

  private static Tensor lengthLoss(DenoisingTranslator model, Tensor memory, DenoisingBatch batch) {
    Tensor logits = model.lengthLogits(memory, batch.sourceMask());
    return Functional.crossEntropy(logits, batch.lengths().sub(1L), -1, 0);
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

  @Override
  public Metrics evaluate() {
    return evaluate(model, heldOut);
  }

  /**
   * Measures the mean cross-entropy of all steps on translations, not smoothed, in nats per token,
   * and that of their numbers of tokens, {@code lengthLoss}. Every evaluation corrupts the same
   * tokens.
   */
  public static Metrics evaluate(DenoisingTranslator model, List<TokenPair> pairs) {
    List<TokenPair> sorted = new ArrayList<>(pairs);
    sorted.sort(Comparator.comparingInt(pair -> pair.target().length));
    Tensor random = Random.state();
    Random.seed(EVALUATION_SEED);
    boolean learning = model.isTraining();
    model.train(false);
    double sum = 0;
    double lengths = 0;
    long count = 0;
    try (Mode mode = Autograd.noGrad()) {
      for (int from = 0; from < sorted.size(); from += EVALUATED_TOGETHER) {
        List<TokenPair> some =
            sorted.subList(from, Math.min(sorted.size(), from + EVALUATED_TOGETHER));
        try (Scope scope = Scope.open()) {
          DenoisingBatch batch = DenoisingBatch.of(some, model.end());
          Tensor memory = model.encode(batch.source(), batch.sourceMask());
          List<Tensor> losses = losses(model, memory, batch, 0);
          double mean = losses.stream().mapToDouble(Tensor::item).average().orElseThrow();
          sum += mean * batch.tokens();
          count += batch.tokens();
          lengths += lengthLoss(model, memory, batch).item() * some.size();
        }
      }
    } finally {
      model.train(learning);
      Random.restore(random);
    }
    return Metrics.ofLoss(sum / count, "nats per token")
        .with(Metric.lower("lengthLoss", lengths / sorted.size(), "nats per text"));
  }
}
