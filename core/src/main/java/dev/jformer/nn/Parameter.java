package dev.jformer.nn;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import dev.jformer.tensor.TensorException;

/**
 * A tensor of a module: a weight that is trained, or a buffer that is only saved. The same object
 * may be used in several places of a model (tied weights); it is then one parameter with several
 * names.
 */
public final class Parameter {
  private final boolean trainable;
  private final boolean ragged;
  private boolean fixed;
  private Tensor value;

  private Parameter(Tensor value, boolean trainable, boolean ragged) {
    this.trainable = trainable;
    this.ragged = ragged;
    // Kernels of optimizers walk through the memory of a weight and of its gradient side by side.
    this.value =
        (trainable ? value.detach().contiguous() : value.detach()).toCurrentDevice().keep();
    this.value.requiresGrad(trainable);
  }

  /** Creates a weight, which has gradients. */
  public static Parameter trained(Tensor initial) {
    return new Parameter(initial, true, false);
  }

  /** Creates a buffer, which is saved with the model but not trained. */
  public static Parameter buffer(Tensor initial) {
    return new Parameter(initial, false, false);
  }

  /**
   * Creates a tensor whose last dimension is not fixed by the configuration: a file or another
   * model may have more or fewer elements.
   *
   * @param trainable whether it is a weight
   */
  public static Parameter ragged(Tensor initial, boolean trainable) {
    return new Parameter(initial, trainable, true);
  }

  /** Whether values of a shape can be {@linkplain #copyFrom copied} to this parameter. */
  public boolean accepts(Shape shape) {
    return accepts(value.shape(), ragged, shape);
  }

  /** Whether a parameter of one shape, {@linkplain #ragged} or not, takes values of another. */
  public static boolean accepts(Shape own, boolean ragged, Shape shape) {
    if (!ragged || own.rank() != shape.rank()) {
      return own.equals(shape);
    }
    for (int i = 0; i < own.rank() - 1; i++) {
      if (own.size(i) != shape.size(i)) {
        return false;
      }
    }
    return true;
  }

  /** Whether the last dimension may vary; see {@link #ragged(Tensor, boolean)}. */
  public boolean isRagged() {
    return ragged;
  }

  /** The current value. */
  public Tensor value() {
    return value;
  }

  /** Whether this is a weight rather than a buffer; a weight may still be frozen. */
  public boolean isTrainable() {
    return trainable;
  }

  /** Stops or resumes gradients to a weight. */
  public void freeze(boolean frozen) {
    value.requiresGrad(trainable && !frozen && !fixed);
  }

  /**
   * Fixes the value, or frees it again: it is that of a file, as the weights are that an adapter is
   * trained beside. A fixed parameter has no gradient and is not part of checkpoints.
   */
  public void fix(boolean on) {
    fixed = on;
    value.requiresGrad(trainable && !on && value.dtype().isFloating());
  }

  /** Whether the value is {@linkplain #fix fixed}. */
  public boolean isFixed() {
    return fixed;
  }

  /**
   * Copies new values to this parameter, converting their type.
   *
   * @throws TensorException if the shape differs
   */
  public void copyFrom(Tensor source) {
    if (!accepts(source.shape())) {
      throw new TensorException(
          "a parameter of shape "
              + value.shape()
              + " cannot take values of shape "
              + source.shape()
              + ": expected the same shape");
    }
    try (Mode mode = Autograd.noGrad()) {
      if (source.shape().equals(value.shape())) {
        value.copy_(source);
      } else {
        replace(source.to(value.dtype()).copy());
      }
    }
  }

  /** Replaces the tensor by another, of any shape or type. */
  public void replace(Tensor replacement) {
    Tensor old = value;
    boolean frozen = trainable && !old.requiresGrad();
    value =
        (trainable ? replacement.detach().contiguous() : replacement.detach())
            .toCurrentDevice()
            .keep();
    value.requiresGrad(trainable && !frozen && value.dtype().isFloating());
    if (old != replacement) {
      old.close();
    }
  }
}
