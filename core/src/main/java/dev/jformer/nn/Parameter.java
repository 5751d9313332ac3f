package dev.jformer.nn;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.tensor.TensorException;

/**
 * A tensor that belongs to a module: a weight that is trained, or a buffer that is only carried
 * along. The same object may stand in several places of a model (tied weights); it is then one
 * parameter with several names.
 */
public final class Parameter {
  private final boolean trainable;
  private Tensor value;

  private Parameter(Tensor value, boolean trainable) {
    this.trainable = trainable;
    this.value = value.detach().keep();
    this.value.requiresGrad(trainable);
  }

  /** A weight, which gradients flow to. */
  public static Parameter trained(Tensor initial) {
    return new Parameter(initial, true);
  }

  /** A tensor that is saved with the model but not trained. */
  public static Parameter buffer(Tensor initial) {
    return new Parameter(initial, false);
  }

  /** The present value. */
  public Tensor value() {
    return value;
  }

  /** Whether this is a weight rather than a buffer; a weight may still be frozen. */
  public boolean isTrainable() {
    return trainable;
  }

  /** Stops or resumes gradients to a weight. */
  public void freeze(boolean frozen) {
    value.requiresGrad(trainable && !frozen);
  }

  /**
   * Copies new values in, converting their type.
   *
   * @throws TensorException if the shape differs
   */
  public void copyFrom(Tensor source) {
    if (!source.shape().equals(value.shape())) {
      throw new TensorException(
          "a parameter of shape "
              + value.shape()
              + " cannot take values of shape "
              + source.shape());
    }
    try (Mode mode = Autograd.noGrad()) {
      value.copy_(source);
    }
  }

  /** Puts another tensor in this one's place, of any shape or type. */
  public void replace(Tensor replacement) {
    Tensor old = value;
    boolean frozen = trainable && !old.requiresGrad();
    value = replacement.detach().keep();
    value.requiresGrad(trainable && !frozen && value.dtype().isFloating());
    if (old != replacement) {
      old.close();
    }
  }
}
