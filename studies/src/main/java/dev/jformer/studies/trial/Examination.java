package dev.jformer.studies.trial;

/**
 * A measurement of a trained model that a trial does not make itself. The model is in inference
 * mode, and no gradients are recorded.
 *
 * @param <M> the type of the model, which is closed afterwards
 * @param <R> the type of the result
 */
@FunctionalInterface
public interface Examination<M, R> {
  /**
   * Measures the model.
   *
   * @param result of the training
   */
  R of(M model, TrainingResult result);
}
