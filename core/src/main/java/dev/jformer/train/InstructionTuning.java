package dev.jformer.train;

import dev.jformer.data.text.EncodedSample;
import dev.jformer.data.text.PackedRows;
import dev.jformer.data.text.SampleBatches;
import dev.jformer.data.text.SamplePacking;
import dev.jformer.data.text.SampleRows;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.Packing;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/**
 * The task of fine-tuning a causal language model on samples: predict the learned tokens of each,
 * such as those of answers, from all tokens before them. A batch has a sample in each row, or
 * several; the output layer runs for learned tokens only.
 */
public final class InstructionTuning implements Classifying {
  private final CausalLm model;
  private final List<EncodedSample> heldOut;
  private final int samples;
  private final LongFunction<Rows> rows;
  private final int batch;
  private final long tokens;

  /**
   * A batch.
   *
   * @param ids int64 [B, T]
   * @param packing the samples of each row; null if each row is one
   * @param positions int64 [M], the places in the flattened ids after which a token is learned
   * @param targets int64 [M], these tokens
   * @param counted which tokens have a target after them
   */
  private record Rows(
      Tensor ids, Packing packing, Tensor positions, Tensor targets, Supplier<Tensor> counted) {
    static Rows of(SampleRows rows) {
      return new Rows(rows.ids(), null, rows.positions(), rows.targets(), rows::counted);
    }

    static Rows of(PackedRows rows) {
      return new Rows(rows.ids(), rows.packing(), rows.positions(), rows.targets(), rows::counted);
    }

    Tensor logits(CausalLm lm) {
      Tensor logits =
          packing == null ? lm.logitsAt(ids, positions) : lm.logitsAt(ids, packing, positions);
      return logits.to(DType.FLOAT32);
    }
  }

  /**
   * Creates a task with a sample in each row.
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
    this(
        model,
        training,
        heldOut,
        batch,
        batches(new SampleBatches<>(training, sample -> sample.ids().length, batch, seed)));
  }

  private InstructionTuning(
      CausalLm model,
      List<EncodedSample> training,
      List<EncodedSample> heldOut,
      int batch,
      Batches batches) {
    this.model = model;
    this.heldOut = heldOut.stream().sorted(Comparator.comparingInt(s -> s.ids().length)).toList();
    this.samples = training.size();
    this.rows = batches.rows;
    this.batch = batch;
    long all = training.stream().mapToLong(sample -> sample.ids().length).sum();
    this.tokens = Math.max(1, all / batches.perEpoch);
  }

  /** Batches by their number, and how many an epoch has. */
  private record Batches(LongFunction<Rows> rows, int perEpoch) {}

  private static Batches batches(SampleBatches<EncodedSample> samples) {
    return new Batches(
        index -> Rows.of(SampleRows.of(samples.batch(index), 0)), samples.perEpoch());
  }

  /**
   * Creates a task with several samples in each row, none of which sees another: the loss of a
   * batch is the mean over the learned tokens of all its samples, each of which gives what it gives
   * alone.
   *
   * @param training samples to learn from, none longer than the model takes
   * @param heldOut samples to evaluate on
   * @param width the most tokens of a row
   * @param batch rows in a batch
   */
  public static InstructionTuning packed(
      CausalLm model,
      List<EncodedSample> training,
      List<EncodedSample> heldOut,
      int width,
      int batch,
      long seed) {
    SamplePacking packing = new SamplePacking(training, width, batch, seed);
    return new InstructionTuning(
        model,
        training,
        heldOut,
        batch,
        new Batches(index -> Rows.of(PackedRows.of(packing.batch(index), 0)), packing.perEpoch()));
  }

  /** The number of samples to learn from. */
  public long trainingSamples() {
    return samples;
  }

  /** The number of samples to evaluate on. */
  public long heldOutSamples() {
    return heldOut.size();
  }

  @Override
  public Passes<CausalLm> passes(long index) {
    Rows read = rows.apply(index);
    return new Passes<>(
        CausalLm.class,
        model,
        read::logits,
        logits -> Functional.crossEntropy(logits, read.targets(), -1, 0));
  }

  @Override
  public Tensor loss(long index) {
    Rows read = rows.apply(index);
    AuxiliaryLosses.predictions(read.targets().elements());
    return model.lossAt(read.ids(), read.packing(), read.positions(), read.targets());
  }

  @Override
  public Tensor counted(long index) {
    return rows.apply(index).counted().get();
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
