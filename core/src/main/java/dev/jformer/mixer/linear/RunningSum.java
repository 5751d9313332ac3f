package dev.jformer.mixer.linear;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A sum over the tokens seen so far, which a mixer stores instead of the tokens. It outlives scopes
 * until it is closed.
 */
final class RunningSum implements AutoCloseable {
  /** A sum that stays empty, for whole sequences. */
  static final RunningSum NONE = new RunningSum();

  private Tensor value;

  /** Cumulative sums of x [B, H, T] along the tokens, continuing this sum, which is updated. */
  Tensor along(Tensor x) {
    Tensor sums = plus(x.cumsum(-1));
    set(sums.narrow(-1, sums.size(-1) - 1, 1));
    return sums;
  }

  /** {@code x} plus this sum. */
  Tensor plus(Tensor x) {
    return value == null ? x : x.add(value);
  }

  /** Sets this sum. */
  void set(Tensor sum) {
    if (this == NONE) {
      return;
    }
    if (value == null) {
      // Outside of inference mode, so that later steps may run in it or not.
      try (Mode mode = Autograd.noInference()) {
        value = Tensor.zeros(sum.dtype(), sum.shape().toArray()).to(sum.device()).keep();
      }
    }
    value.copy_(sum.detach());
  }

  /** Forgets all tokens. */
  void clear() {
    close();
    value = null;
  }

  /**
   * Reorders sequences.
   *
   * @param batch their number so far; the rows of each lie together in this sum
   * @param rows int64 [n]
   */
  void select(long batch, Tensor rows) {
    if (value == null) {
      return;
    }
    // Outside of inference mode, as in set.
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noInference();
        Mode constant = Autograd.noGrad()) {
      Tensor chosen = value.unflatten(0, batch, -1).indexSelect(0, rows).flatten(0, 1).keep();
      value.close();
      value = chosen;
    }
  }

  /** Bytes of memory held. */
  long bytes() {
    return value == null ? 0 : value.elements() * value.dtype().bytes();
  }

  @Override
  public void close() {
    if (value != null) {
      value.close();
    }
  }
}
