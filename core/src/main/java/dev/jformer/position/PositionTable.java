package dev.jformer.position;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.function.LongFunction;

/**
 * A table with a row for each position; it is computed once, and again for longer sequences.
 * Threads may share it.
 */
final class PositionTable {
  private final LongFunction<Tensor> compute;
  private Tensor table;

  /** Creates a table; {@code compute} makes the rows of positions 0 … n - 1, [n, ...]. */
  PositionTable(LongFunction<Tensor> compute) {
    this.compute = compute;
  }

  /** The rows of positions start … start + count - 1. */
  synchronized Tensor rows(long start, long count) {
    long needed = start + count;
    if (table == null || table.size(0) < needed) {
      long size = Long.highestOneBit(Math.max(needed, 64) * 2 - 1);
      // Outside of inference mode, so that training may use the table too.
      try (Scope scope = Scope.open();
          Mode training = Autograd.noInference();
          Mode mode = Autograd.noGrad()) {
        table = compute.apply(size).keep();
      }
    }
    return table.narrow(0, start, count);
  }
}
