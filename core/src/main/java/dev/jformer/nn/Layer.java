package dev.jformer.nn;

import dev.jformer.tensor.Tensor;

/** A module that maps one tensor to one tensor. */
public abstract class Layer extends Module {
  /** Applies the layer; subclasses document the shapes. */
  public abstract Tensor forward(Tensor x);

  /**
   * What {@link #forward} computes of few rows of plain floats in inference, up to rounding; null,
   * unless overridden, if there is no faster way than that.
   */
  public RowFunction rowFunction() {
    return null;
  }
}
