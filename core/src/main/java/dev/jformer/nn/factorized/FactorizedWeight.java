package dev.jformer.nn.factorized;

import dev.jformer.tensor.Tensor;

/** A layer whose weight is the product of dense bases and sparse coefficients. */
public interface FactorizedWeight {
  /** The format of the factors. */
  DenseSparseFormat format();

  /**
   * Copies factors to this layer.
   *
   * @param coefficients [blocks, in, basis]
   * @param mask bool, of the same shape: true for the coefficients to keep
   * @param bases [blocks, basis, outputs of a block]
   * @throws IllegalArgumentException if values are not finite, or the mask does not keep {@link
   *     DenseSparseFormat#nonzeros} of each row
   */
  void fill(Tensor coefficients, Tensor mask, Tensor bases);
}
