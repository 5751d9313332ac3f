package dev.jformer.train;

import dev.jformer.data.FrameSource;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.sequence.SequenceModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/** The task of training a classifier of sequences of vectors. */
public final class FrameClassification implements Classifying {
  /** Batches from which means and deviations are computed. */
  private static final int MEASURED = 32;

  private final SequenceModel model;
  private final FrameSource source;
  private final String unit;

  /**
   * Creates a task.
   *
   * @param unit what a sequence is called, in the plural
   */
  public FrameClassification(SequenceModel model, FrameSource source, String unit) {
    this.model = model;
    this.source = source;
    this.unit = unit;
  }

  /** The sequences. */
  public FrameSource source() {
    return source;
  }

  @Override
  public Passes<SequenceModel> passes(long index) {
    FrameSource.Batch batch = source.batch(index);
    return new Passes<>(
        SequenceModel.class,
        model,
        any -> any.logits(batch.frames()).to(DType.FLOAT32),
        logits -> Functional.crossEntropy(logits, batch.labels(), -1, 0));
  }

  @Override
  public long unitsPerBatch() {
    return source.batch();
  }

  @Override
  public String unit() {
    return unit;
  }

  /** Measures mean cross-entropy and accuracy on the held-out sequences. */
  @Override
  public Metrics evaluate() {
    ClassificationScores scores = new ClassificationScores();
    source.heldOut((frames, labels) -> scores.add(model.logits(frames), labels));
    return scores.metrics();
  }

  /** Gives a model the means and deviations of the features of training sequences. */
  public static void standardise(SequenceModel model, FrameSource frames) {
    Tensor sum = null;
    Tensor squares = null;
    double count = 0;
    long batches = Math.min(MEASURED, Math.max(1, frames.training() / frames.batch()));
    for (long i = 0; i < batches; i++) {
      Tensor rows = frames.batch(i).frames().flatten(0, 1).to(DType.FLOAT64);
      Tensor added = rows.sum(0, false);
      Tensor square = rows.square().sum(0, false);
      sum = sum == null ? added : sum.add(added);
      squares = squares == null ? square : squares.add(square);
      count += rows.size(0);
    }
    Tensor mean = sum.div(count);
    Tensor deviation = squares.div(count).sub(mean.square()).clamp(1e-6, 1e12).sqrt();
    model.standardise(mean.to(DType.FLOAT32), deviation.to(DType.FLOAT32));
  }

  /** Computes the probabilities of the classes of one sequence [1, T, F]. */
  public static double[] probabilities(SequenceModel model, Tensor frames) {
    model.train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      return model.logits(frames).to(DType.FLOAT32).softmax(1).toDoubles();
    }
  }
}
