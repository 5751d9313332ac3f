package dev.jformer.compress.quantize;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * What a layer was given while a model ran: how large each channel became, and some of the rows,
 * evenly spread over all that there were, however many came in whatever pieces.
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
   * Nothing yet.
   *
   * @param most how many rows are kept; once there are more, every second of them goes
   */
  CalibrationSample(int most) {
    this.most = most;
  }

  /** Adds what the layer was given: [..., D]. */
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
      largest = instead(largest, largest == null ? here : largest.maximum(here));
      Tensor some = each(flat, (every - seen % every) % every, every);
      rows = instead(rows, rows == null ? some : Tensor.cat(0, rows, some));
      seen += flat.size(0);
      while (rows.size(0) > most) {
        rows = instead(rows, each(rows, 0, 2));
        every *= 2;
      }
    }
  }

  private static Tensor each(Tensor from, long first, long step) {
    long count = Math.max(0, (from.size(0) - first + step - 1) / step);
    return from.indexSelect(0, Tensor.arange(0, count).mul(step).add(first));
  }

  private static Tensor instead(Tensor old, Tensor now) {
    if (old != null) {
      old.close();
    }
    return now.keep();
  }

  /** Whether nothing came. */
  boolean isEmpty() {
    return rows == null;
  }

  /** The rows kept: [N, D], float32. */
  Tensor rows() {
    return rows;
  }

  /** The largest absolute value of each channel in all rows that came: [D]. */
  Tensor largest() {
    return largest;
  }

  /** The smallest number of all that came. */
  double low() {
    return low;
  }

  /** The largest number of all that came. */
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
