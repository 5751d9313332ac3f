package dev.jformer.decode;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.function.LongConsumer;

/** Reads of each prefix only what differs from the one before. */
abstract class CachedPrefix implements NextToken {
  private final int end;
  private final int[] start;
  private final LongConsumer truncate;
  private final Runnable release;
  private int[] read = {};

  CachedPrefix(int end, int[] start, LongConsumer truncate, Runnable release) {
    this.end = end;
    this.start = start;
    this.truncate = truncate;
    this.release = release;
  }

  /** Reads a token; returns the logits of the next: [1, V]. */
  abstract Tensor read(long id);

  @Override
  public int end() {
    return end;
  }

  @Override
  public double[] logProbabilities(int[] prefix) {
    int[] all = Arrays.copyOf(start, start.length + prefix.length);
    System.arraycopy(prefix, 0, all, start.length, prefix.length);
    int common = Arrays.mismatch(read, all);
    common = common < 0 ? all.length - 1 : Math.min(common, all.length - 1);
    try (Mode mode = Autograd.inference();
        Scope scope = Scope.open()) {
      truncate.accept(common);
      Tensor logits = null;
      for (int i = common; i < all.length; i++) {
        logits = read(all[i]);
      }
      read = all;
      return logits.to(DType.FLOAT64).logSoftmax(-1).toDoubles();
    }
  }

  @Override
  public void close() {
    release.run();
  }
}
