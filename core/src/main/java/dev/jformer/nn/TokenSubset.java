package dev.jformer.nn;

import dev.jformer.config.Checks;
import dev.jformer.tensor.Tensor;

/**
 * The tokens of a sequence whose states are read: every {@code step}-th one. What is computed for
 * others in the last block, after the mixing of tokens, would be thrown away.
 *
 * @param first the first of them
 * @param step from one to the next
 */
public record TokenSubset(long first, long step) {
  /** Checks the values. */
  public TokenSubset {
    Checks.atLeast("first", first, 0);
    Checks.atLeast("step", step, 1);
  }

  /** The tokens with an even number, from 0. */
  public static TokenSubset even() {
    return new TokenSubset(0, 2);
  }

  /** One token. */
  public static TokenSubset only(long token) {
    return new TokenSubset(token, Integer.MAX_VALUE);
  }

  /** A view of the slices of these tokens along a dimension. */
  public Tensor of(Tensor x, int dim) {
    return x.every(dim, first, step);
  }
}
