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

  /** Computes the probabilities of the classes of one sequence [1, T, F]. */
  public static double[] probabilities(SequenceModel model, Tensor frames) {
    model.train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      return model.logits(frames).to(DType.FLOAT32).softmax(1).toDoubles();
    }
  }
}
