package dev.jformer.nn;

import dev.jformer.tensor.Tensor;

/** A module that maps one tensor to one tensor. */
public abstract class Layer extends Module {
  /** Applies the layer; subclasses document the shapes. */
  public abstract Tensor forward(Tensor x);
}
