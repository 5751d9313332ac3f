package dev.jformer.train;

import dev.jformer.tensor.Tensor;
import java.util.function.Supplier;

/**
 * A task whose loss is a cross-entropy of classes that a model predicts, tokens among them. It can
 * run the model on a batch more than once, for objectives that compare what comes out.
 */
public interface Classifying extends Task {
  /**
   * What a model predicts in one pass.
   *
   * @param logits [M, K], float32, of what is to be predicted, nothing else
   * @param loss the task's loss, a scalar
   */
  record Prediction(Tensor logits, Tensor loss) {}

  /**
   * Passes over one batch: each call runs the model anew on the same inputs.
   *
   * @param index number of the batch, as in {@link #loss}
   */
  Supplier<Prediction> passes(long index);

  @Override
  default Tensor loss(long index) {
    return passes(index).get().loss();
  }
}
