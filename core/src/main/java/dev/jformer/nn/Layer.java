package dev.jformer.nn;

import dev.jformer.tensor.Tensor;

/** A module that maps one tensor to one tensor. */
public abstract class Layer extends Module {
  /** Applies the layer; a subclass says what shapes it takes and gives. */
  public abstract Tensor forward(Tensor x);
}
