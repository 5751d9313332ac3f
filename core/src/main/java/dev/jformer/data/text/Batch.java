package dev.jformer.data.text;

import dev.jformer.tensor.Tensor;

/**
 * A batch of token sequences and their next-token targets, on the device that computes.
 *
 * @param inputs int64 [B, T]
 * @param targets int64 [B, T], the inputs shifted by one
 */
public record Batch(Tensor inputs, Tensor targets) {
  /** Moves tokens that were read from a file. */
  public Batch {
    inputs = inputs.toCurrentDevice();
    targets = targets.toCurrentDevice();
  }

  static Batch of(Tensor windows) {
    long length = windows.size(1) - 1;
    return new Batch(windows.narrow(1, 0, length), windows.narrow(1, 1, length));
  }
}
