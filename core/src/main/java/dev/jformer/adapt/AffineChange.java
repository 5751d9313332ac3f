package dev.jformer.adapt;

import dev.jformer.tensor.Tensor;

/**
 * Changes of the outputs of a frozen matrix W with bias b̂: {@code (1 + a) ⊙ (W x) + b̂ + b}. The
 * low-rank update that stands beside it has a ReLU between its matrices.
 *
 * @param gain a, [out]; null for none
 * @param shift b, [out]
 */
public record AffineChange(Tensor gain, Tensor shift) {
  /** Checks that the shapes fit together. */
  public AffineChange {
    if (shift.rank() != 1 || (gain != null && !gain.shape().equals(shift.shape()))) {
      throw new IllegalArgumentException(
          "the shift is "
              + shift.shape()
              + " and the gain "
              + (gain == null ? "none" : gain.shape())
              + ": expected [out] of both");
    }
  }

  /** Changes that change nothing yet. */
  static AffineChange none(long outputs, boolean hasGain) {
    return new AffineChange(hasGain ? Tensor.zeros(outputs) : null, Tensor.zeros(outputs));
  }
}
