package dev.jformer.train;

import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * A task whose loss is a cross-entropy over classes, such as tokens, that a model predicts. It can
 * run the model on a batch more than once, for objectives that compare predictions.
 */
public interface Classifying extends Task {
  /**
   * The predictions of a model in one pass.
   *
   * @param logits [M, K], float32, of the positions to predict only
   * @param loss the task's loss, a scalar
   * @param criterion computes the loss from logits
   */
  record Prediction(Tensor logits, Tensor loss, UnaryOperator<Tensor> criterion) {
    /** Predictions of one pass; reports their number, by which accumulated batches count. */
    public static Prediction of(Tensor logits, UnaryOperator<Tensor> criterion) {
      AuxiliaryLosses.predictions(logits.size(0));
      return new Prediction(logits, criterion.apply(logits), criterion);
    }
  }

  /**
   * Prepares passes over one batch, of the model of this task or of others.
   *
   * @param index number of the batch, as in {@link #loss}
   */
  Passes<?> passes(long index);

  @Override
  default Tensor loss(long index) {
    return passes(index).get().loss();
  }
}
