package dev.jformer.studies.trial;

/**
 * Looks at a trained model, in inference, with no gradients recorded, for what a trial does not
 * measure by itself.
 *
 * @param <M> the model, which is closed afterwards
 * @param <R> what is found
 */
@FunctionalInterface
public interface Examination<M, R> {
  /**
   * What is found.
   *
   * @param result what came of the training
   */
  R of(M model, TrainingResult result);
}
