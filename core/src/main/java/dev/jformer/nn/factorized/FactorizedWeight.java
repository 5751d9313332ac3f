package dev.jformer.nn.factorized;

import dev.jformer.tensor.Tensor;

/** A layer whose weight is the product of dense bases and sparse coefficients. */
public interface FactorizedWeight {
  /** How the factors stand for the weight. */
  DenseSparseFormat format();

  /**
   * Takes over factors.
   *
   * @param coefficients [blocks, in, basis]
   * @param mask bool, of the same shape: which coefficients of each row are kept
   * @param bases [blocks, basis, outputs of a block]
   * @throws IllegalArgumentException if numbers are not finite, or the mask does not keep {@link
   *     DenseSparseFormat#nonzeros} of each row
   */
  void fill(Tensor coefficients, Tensor mask, Tensor bases);
}
