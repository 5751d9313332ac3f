package dev.jformer.train;

import dev.jformer.config.Checks;
import dev.jformer.data.text.EncodedSample;
import dev.jformer.data.text.SampleBatches;
import dev.jformer.data.text.SampleRows;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The task of learning preferences (DPO, <a href="https://arxiv.org/abs/2305.18290">Direct
 * Preference Optimization: Your Language Model is Secretly a Reward Model</a>): the better of two
 * answers to a prompt is to become likelier than the other one, compared with a reference model.
 * The loss of a pair is {@code -log σ(β (log π(c)/π₀(c) - log π(r)/π₀(r)))} for the chosen answer
 * c, the rejected one r, the model π and the reference π₀, which is the model before training.
 */
public final class PreferenceOptimization implements Task {
  /**
   * A prompt with two answers, and the log-likelihoods of both by the reference.
   *
   * @param chosen the prompt with the better answer
   * @param rejected the prompt with the other one
   * @param referenceChosen log-likelihood of the better answer, in nats
   * @param referenceRejected log-likelihood of the other one, in nats
   */
  public record Pair(
      EncodedSample chosen,
      EncodedSample rejected,
      double referenceChosen,
      double referenceRejected) {
    private int length() {
      return Math.max(chosen.ids().length, rejected.ids().length);
    }
  }

  private final CausalLm model;
  private final List<Pair> heldOut;
  private final SampleBatches<Pair> batches;
  private final double beta;
  private final int batch;
  private final long tokens;

  /**
   * Creates a task.
   *
   * @param beta β, how strongly the model is held to the reference
   * @param batch pairs in a batch
   */
  public PreferenceOptimization(
      CausalLm model, List<Pair> training, List<Pair> heldOut, double beta, int batch, long seed) {
    Checks.moreThan("beta", beta, 0);
    this.model = model;
    this.heldOut = List.copyOf(heldOut);
    this.batches = new SampleBatches<>(training, Pair::length, batch, seed);
    this.beta = beta;
    this.batch = batch;
    long all =
        training.stream().mapToLong(p -> p.chosen.ids().length + p.rejected.ids().length).sum();
    this.tokens = Math.max(1, all / batches.perEpoch());
  }

  /** The number of pairs to learn from. */
  public long trainingPairs() {
    return batches.size();
  }

  /** The number of pairs to evaluate on. */
  public long heldOutPairs() {
    return heldOut.size();
  }

  @Override
  public Tensor loss(long index) {
    return losses(margins(batches.batch(index))).mean();
  }

  @Override
  public Tensor counted(long index) {
    return rows(batches.batch(index)).counted();
  }

  private static SampleRows rows(List<Pair> pairs) {
    List<EncodedSample> both = new ArrayList<>();
    pairs.forEach(pair -> both.add(pair.chosen()));
    pairs.forEach(pair -> both.add(pair.rejected()));
    return SampleRows.of(both, 0);
  }

  /** β times the log-odds of each pair against those of the reference: [B]. */
  private Tensor margins(List<Pair> pairs) {
    Tensor likelihoods = logLikelihoods(model, rows(pairs));
    int count = pairs.size();
    double[] reference =
        pairs.stream().mapToDouble(p -> p.referenceChosen - p.referenceRejected).toArray();
    return likelihoods
        .narrow(0, 0, count)
        .sub(likelihoods.narrow(0, count, count))
        .sub(Tensor.of(reference, count).to(DType.FLOAT32))
        .mul(beta);
  }

  /** {@code -log σ(x)}, without overflow. */
  private static Tensor losses(Tensor margins) {
    Tensor zeros = margins.zerosLike();
    return Tensor.stack(0, zeros, margins.neg()).logSumExp(0, false);
  }

  /** The log-likelihood of the learned tokens of each row: float32 [B]. */
  private static Tensor logLikelihoods(CausalLm model, SampleRows rows) {
    Tensor logits = model.logitsAt(rows.ids(), rows.positions()).to(DType.FLOAT32);
    Tensor each = Functional.crossEntropyEach(logits, rows.targets(), -1);
    Tensor row = rows.positions().floorDiv(rows.ids().size(1));
    return Tensor.zeros(rows.ids().size(0)).scatterAdd(0, row, each).neg();
  }

  /** The log-likelihood of the learned tokens of a sample by a model in inference, in nats. */
  public static double logLikelihood(CausalLm model, EncodedSample sample) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      return logLikelihoods(model, SampleRows.of(List.of(sample), 0)).item();
    }
  }

  /** The mean number of tokens in a batch, without padding. */
  @Override
  public long unitsPerBatch() {
    return tokens;
  }

  @Override
  public String unit() {
    return "tokens";
  }

  /**
   * Measures the loss on held-out pairs, and the share of pairs whose better answer gained on the
   * other one.
   */
  @Override
  public Metrics evaluate() {
    double loss = 0;
    double gained = 0;
    for (int from = 0; from < heldOut.size(); from += batch) {
      List<Pair> some = heldOut.subList(from, Math.min(heldOut.size(), from + batch));
      try (Scope scope = Scope.open()) {
        Tensor margins = margins(some);
        loss += losses(margins).sum().item();
        for (double margin : margins.toDoubles()) {
          gained += margin > 0 ? 1 : 0;
        }
      }
    }
    return Metrics.ofLoss(loss / heldOut.size(), "nats per pair")
        .with(Metric.higher("preferred", gained / heldOut.size(), ""));
  }
}
