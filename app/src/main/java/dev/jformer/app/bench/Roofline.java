package dev.jformer.app.bench;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * What the machine can do at most, measured: floating-point operations of a large matrix product,
 * and reading memory.
 */
final class Roofline {
  private static final int SIZE = 2048;
  private static final long BYTES = 1L << 30;

  private Roofline() {}

  /** Operations per second of the best of several products of 2048-cubed matrices. */
  static double matmulFlops(DType dtype) {
    double best = Double.MAX_VALUE;
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor a = Tensor.randn(SIZE, SIZE).to(dtype);
      Tensor b = Tensor.randn(SIZE, SIZE).to(dtype);
      for (int i = 0; i < 12; i++) {
        long start = System.nanoTime();
        a.matmul(b).close();
        best = Math.min(best, (System.nanoTime() - start) / 1e9);
      }
    }
    return 2.0 * SIZE * SIZE * SIZE / best;
  }

  /** Bytes per second of the best of several sums over a gigabyte of numbers. */
  static double readBandwidth() {
    double best = Double.MAX_VALUE;
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor values = Tensor.ones(BYTES / 4);
      for (int i = 0; i < 8; i++) {
        long start = System.nanoTime();
        values.sum().item();
        best = Math.min(best, (System.nanoTime() - start) / 1e9);
      }
    }
    return BYTES / best;
  }
}
