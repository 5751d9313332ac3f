package dev.jformer.train;

import dev.jformer.config.Checks;
import dev.jformer.data.incontext.BurstySequences;
import dev.jformer.data.incontext.BurstySequences.Batch;
import dev.jformer.data.incontext.BurstySequences.Kind;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.ExemplarModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * The task of predicting the label of the last item of a sequence. Its evaluation tells learning in
 * context, on classes that are new, from learning in weights, on classes that the context does not
 * show.
 */
public final class ExemplarLearning implements Task {
  /** The metric of {@link Kind#IN_CONTEXT}. */
  public static final String IN_CONTEXT = "in-context accuracy";

  /** The metric of {@link Kind#IN_WEIGHTS}. */
  public static final String IN_WEIGHTS = "in-weights accuracy";

  /** The stream of what is evaluated on; updates count from 0. */
  private static final long HELD_OUT = -1;

  private final ExemplarModel model;
  private final BurstySequences sequences;
  private final int batch;
  private final long seed;
  private final int evaluated;

  /**
   * Creates a task.
   *
   * @param batch sequences in an update
   * @param seed draws sequences
   * @param evaluated sequences of each kind in an evaluation
   */
  public ExemplarLearning(
      ExemplarModel model, BurstySequences sequences, int batch, long seed, int evaluated) {
    Checks.check(
        model.config().dimension() == sequences.dimension(),
        "dimension",
        model.config().dimension(),
        "that of the items, " + sequences.dimension());
    Checks.check(
        model.config().labels() >= sequences.labels(),
        "labels",
        model.config().labels(),
        "at least those of the sequences, " + sequences.labels());
    this.model = model;
    this.sequences = sequences;
    this.batch = batch;
    this.seed = seed;
    this.evaluated = evaluated;
  }

  private SplittableRandom random(long stream) {
    long ofSeed = new SplittableRandom(seed).nextLong();
    return new SplittableRandom(31 * ofSeed + new SplittableRandom(stream).nextLong());
  }

  private Tensor logits(Batch some, int count) {
    int length = BurstySequences.CONTEXT + 1;
    return model
        .logits(
            Tensor.of(some.items(), count, length, sequences.dimension()),
            Tensor.of(some.labels(), count, length))
        .to(DType.FLOAT32);
  }

  private static Tensor asked(Batch some, int count) {
    int length = BurstySequences.CONTEXT + 1;
    return Tensor.of(some.labels(), count, length).select(1, BurstySequences.CONTEXT);
  }

  @Override
  public Tensor loss(long index) {
    Batch some = sequences.draw(Kind.TRAINING, batch, random(index));
    return Functional.crossEntropy(logits(some, batch), asked(some, batch), -1, 0);
  }

  @Override
  public long unitsPerBatch() {
    return batch;
  }

  @Override
  public String unit() {
    return "sequences";
  }

  /** The share of sequences of a kind whose last label is predicted. */
  public double accuracy(Kind kind) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Batch some = sequences.draw(kind, evaluated, random(HELD_OUT));
      Tensor right = logits(some, evaluated).argmax(1).eq(asked(some, evaluated));
      return right.to(DType.FLOAT64).mean().item();
    }
  }

  @Override
  public Metrics evaluate() {
    try (Scope scope = Scope.open()) {
      Batch some = sequences.draw(Kind.TRAINING, evaluated, random(HELD_OUT));
      double loss =
          Functional.crossEntropy(logits(some, evaluated), asked(some, evaluated), -1, 0).item();
      return Metrics.ofLoss(loss, "nats")
          .with(Metric.higher(IN_CONTEXT, accuracy(Kind.IN_CONTEXT), ""))
          .with(Metric.higher(IN_WEIGHTS, accuracy(Kind.IN_WEIGHTS), ""));
    }
  }
}
