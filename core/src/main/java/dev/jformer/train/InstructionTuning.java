package dev.jformer.train;

import dev.jformer.data.text.EncodedSample;
import dev.jformer.data.text.SampleBatches;
import dev.jformer.data.text.SampleRows;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The task of fine-tuning a causal language model on samples: predict the learned tokens of each,
 * such as those of answers, from all tokens before them. A batch has a sample in each row; the
 * output layer runs for learned tokens only.
 */
public final class InstructionTuning implements Classifying {
  private final CausalLm model;
  private final List<EncodedSample> heldOut;
  private final SampleBatches<EncodedSample> batches;
  private final int batch;
  private final long tokens;

  /**
   * Creates a task.
   *
   * @param training samples to learn from, none longer than the model takes
   * @param heldOut samples to evaluate on
   * @param batch samples in a batch
   */
  public InstructionTuning(
      CausalLm model,
      List<EncodedSample> training,
      List<EncodedSample> heldOut,
      int batch,
      long seed) {
    this.model = model;
    this.heldOut = heldOut.stream().sorted(Comparator.comparingInt(s -> s.ids().length)).toList();
    this.batches = new SampleBatches<>(training, sample -> sample.ids().length, batch, seed);
    this.batch = batch;
    long all = training.stream().mapToLong(sample -> sample.ids().length).sum();
    this.tokens = Math.max(1, all / batches.perEpoch());
  }

  /** The number of samples to learn from. */
  public long trainingSamples() {
    return batches.size();
  }

  /** The number of samples to evaluate on. */
  public long heldOutSamples() {
    return heldOut.size();
  }

  private SampleRows rows(long index) {
    return SampleRows.of(batches.batch(index), 0);
  }

  @Override
  public Passes<CausalLm> passes(long index) {
    SampleRows rows = rows(index);
    return new Passes<>(
        CausalLm.class,
        model,
        lm -> lm.logitsAt(rows.ids(), rows.positions()).to(DType.FLOAT32),
        logits -> Functional.crossEntropy(logits, rows.targets(), -1, 0));
  }

  @Override
  public Tensor counted(long index) {
    return rows(index).counted();
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

  /** Measures the mean cross-entropy of the learned tokens of held-out samples, in nats. */
  @Override
  public Metrics evaluate() {
    return Metrics.ofLoss(loss(model, heldOut, batch), "nats per token");
  }

  /**
   * Mean cross-entropy of the learned tokens of samples, in nats.
   *
   * @param batch samples in a pass
   */
  public static double loss(CausalLm model, List<EncodedSample> samples, int batch) {
    double sum = 0;
    long count = 0;
    for (int from = 0; from < samples.size(); from += batch) {
      List<EncodedSample> some =
          new ArrayList<>(samples.subList(from, Math.min(samples.size(), from + batch)));
      try (Scope scope = Scope.open()) {
        SampleRows rows = SampleRows.of(some, 0);
        Tensor logits = model.logitsAt(rows.ids(), rows.positions()).to(DType.FLOAT32);
        long targets = rows.targets().elements();
        sum += Functional.crossEntropy(logits, rows.targets(), -1, 0).item() * targets;
        count += targets;
      }
    }
    return sum / count;
  }
}
