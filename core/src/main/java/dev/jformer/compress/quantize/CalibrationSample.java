package dev.jformer.compress.quantize;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A sample of a layer's inputs: the largest value of each channel, and some of the rows, evenly
 * spread over all rows however they are split into batches.
 */
final class CalibrationSample implements AutoCloseable {
  private final int most;
  private Tensor rows;
  private Tensor largest;
  private double low = Double.POSITIVE_INFINITY;
  private double high = Double.NEGATIVE_INFINITY;
  private long seen;
  private long every = 1;

  /**
   * Creates an empty sample.
   *
   * @param most the most rows that are kept; when there are more, every second one is dropped
   */
  CalibrationSample(int most) {
    this.most = most;
  }

  /** Adds inputs of the layer: [..., D]. */
  void add(Tensor x) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor flat = x.detach().to(DType.FLOAT32).reshape(-1, x.size(-1));
      if (flat.size(0) == 0) {
        return;
      }
      low = Math.min(low, flat.min().item());
      high = Math.max(high, flat.max().item());
      Tensor here = flat.abs().max(0, false);
      largest = replaced(largest, largest == null ? here : largest.maximum(here));
      Tensor some = each(flat, (every - seen % every) % every, every);
      rows = replaced(rows, rows == null ? some : Tensor.cat(0, rows, some));
      seen += flat.size(0);
      while (rows.size(0) > most) {
        rows = replaced(rows, each(rows, 0, 2));
        every *= 2;
      }
    }
  }

  private static Tensor each(Tensor from, long first, long step) {
    long count = Math.max(0, (from.size(0) - first + step - 1) / step);
    return from.indexSelect(0, Tensor.arange(0, count).mul(step).add(first));
  }

  private static Tensor replaced(Tensor old, Tensor now) {
    if (old != null) {
      old.close();
    }
    return now.keep();
  }

  /** Whether no inputs were added. */
  boolean isEmpty() {
    return rows == null;
  }

  /** The rows that were kept: float32 [N, D]. */
  Tensor rows() {
    return rows;
  }

  /** The largest absolute value of each channel in all rows: [D]. */
  Tensor largest() {
    return largest;
  }

  /** The smallest value in all rows. */
  double low() {
    return low;
  }

  /** The largest value in all rows. */
  double high() {
    return high;
  }

  @Override
  public void close() {
    if (rows != null) {
      rows.close();
      largest.close();
    }
  }
}
