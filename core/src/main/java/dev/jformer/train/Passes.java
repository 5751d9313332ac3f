package dev.jformer.train;

import dev.jformer.model.Model;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.tensor.Tensor;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Passes of a model over one batch: each call of {@link #get} runs it again on the same inputs.
 *
 * @param <M> the family of the models that can read the batch
 */
public final class Passes<M extends Model> implements Supplier<Classifying.Prediction> {
  private final Class<M> family;
  private final M model;
  private final Function<M, Tensor> logits;
  private final UnaryOperator<Tensor> criterion;

  /**
   * Creates the passes over a batch.
   *
   * @param logits runs a model on the batch: [M, K], float32, of the positions to predict only
   * @param criterion computes the loss from logits
   */
  public Passes(
      Class<M> family, M model, Function<M, Tensor> logits, UnaryOperator<Tensor> criterion) {
    this.family = family;
    this.model = model;
    this.logits = logits;
    this.criterion = criterion;
  }

  /** The model that {@link #get} runs. */
  public M model() {
    return model;
  }

  /** Runs the model and computes its loss; reports the number of predictions. */
  @Override
  public Classifying.Prediction get() {
    return Classifying.Prediction.of(logits.apply(model), criterion);
  }

  /**
   * Runs another model on the same inputs and computes its loss; see {@link #logits}.
   *
   * @throws IllegalArgumentException if it is of another family
   */
  public Classifying.Prediction predict(Model other) {
    Tensor predicted = logits(other);
    return new Classifying.Prediction(predicted, criterion.apply(predicted), criterion);
  }

  /**
   * Runs another model on the same inputs. What its modules report to {@link AuxiliaryLosses} is
   * dropped.
   *
   * @return its logits [M, K], float32
   * @throws IllegalArgumentException if it is of another family
   */
  public Tensor logits(Model other) {
    if (!family.isInstance(other)) {
      throw new IllegalArgumentException(
          other.config().noun() + " cannot read the batches of " + model.config().noun());
    }
    try (AuxiliaryLosses dropped = AuxiliaryLosses.collect()) {
      return logits.apply(family.cast(other));
    }
  }
}
