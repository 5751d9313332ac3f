package dev.jformer.app.bench;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;

/**
 * Reading memory as fast as the machine can, with all threads: the limit of what reads its weights
 * once for each token. Measured in turns with it, because the bandwidth of a shared machine changes
 * from minute to minute.
 */
final class MemoryReading implements Workload {
  private static final long BYTES = 1L << 30;
  private static final int PASSES = 7;

  private final double bytes;
  private final Tensor values;

  /** Reads {@code bytes}, or as if it did: the time of a gigabyte is scaled. */
  MemoryReading(double bytes) {
    this.bytes = bytes;
    try (Scope scope = Scope.open()) {
      this.values = Tensor.ones(BYTES / 4).keep();
    }
  }

  @Override
  public String name() {
    return "reading memory";
  }

  /** Milliseconds, from the median of several passes. */
  @Override
  public double run() {
    double[] times = new double[PASSES];
    try (Mode mode = Autograd.noGrad()) {
      for (int i = 0; i < PASSES; i++) {
        try (Scope scope = Scope.open()) {
          long start = System.nanoTime();
          values.sum().item();
          times[i] = (System.nanoTime() - start) / 1e6;
        }
      }
    }
    Arrays.sort(times);
    return times[PASSES / 2] * bytes / BYTES;
  }

  @Override
  public void close() {
    values.close();
  }
}
